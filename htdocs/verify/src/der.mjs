// DER, strictly: definite lengths in their shortest form, tags of one byte, nothing left over.
import { utf8, latin1 } from './bytes.mjs';

export const SEQ = 0x30, SET = 0x31, INT = 0x02, BITS = 0x03, OCTETS = 0x04, OID = 0x06, BOOL = 0x01;

function readLength(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return { length: first, next: at + 1 };
  const n = first & 0x7f;
  if (n < 1 || n > 3 || at + n >= bytes.length) throw new Error('DER: a length');
  let length = 0;
  for (let i = 1; i <= n; i++) length = length * 256 + bytes[at + i];
  if (length < 0x80 || length < 2 ** (8 * (n - 1))) throw new Error('DER: a length is not the shortest');
  return { length, next: at + 1 + n };
}

function readOne(bytes, at) {
  if (at + 2 > bytes.length || (bytes[at] & 0x1f) === 0x1f) throw new Error('DER: cut short');
  const { length, next } = readLength(bytes, at + 1);
  if (next + length > bytes.length) throw new Error('DER: cut short');
  return { tag: bytes[at], value: bytes.subarray(next, next + length), whole: bytes.subarray(at, next + length) };
}

// The element that begins the bytes; what follows it is told as `rest`.
export function readFirst(bytes, tag) {
  const node = expect(readOne(bytes, 0), tag);
  return { ...node, rest: bytes.subarray(node.whole.length) };
}

// The one element that the bytes are.
export function read(bytes, tag) {
  const node = readFirst(bytes, tag);
  if (node.rest.length) throw new Error('DER: something follows');
  return node;
}

export function expect(node, tag) {
  if (!node || (tag !== undefined && node.tag !== tag)) throw new Error('DER: another element was due');
  return node;
}

export function children(node) {
  const list = [];
  for (let at = 0; at < node.value.length; at += list.at(-1).whole.length) list.push(readOne(node.value, at));
  return list;
}

export function oid(node) {
  const numbers = [];
  let n = 0;
  for (const byte of expect(node, OID).value) {
    n = n * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(n);
      n = 0;
    }
  }
  const first = Math.min(2, Math.floor(numbers[0] / 40));
  return [first, numbers[0] - 40 * first, ...numbers.slice(1)].join('.');
}

export const small = (node) => {
  const { value } = expect(node, INT);
  if (value.length !== 1 || value[0] > 127) throw new Error('DER: a number is too large');
  return value[0];
};

export const bits = (node) => {
  if (expect(node, BITS).value[0] !== 0) throw new Error('DER: bits are no bytes');
  return node.value.subarray(1);
};

export function time(node) {
  const text = latin1(node.value);
  const m = /^(\d{2})?(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!m || (node.tag === 0x17) !== (m[1] === undefined) || (node.tag !== 0x17 && node.tag !== 0x18)) throw new Error('DER: a time');
  const century = m[1] ?? (Number(m[2]) < 50 ? '20' : '19');
  return Date.parse(`${century}${m[2]}-${m[3]}-${m[4]}T${m[5]}:${m[6]}:${m[7]}Z`);
}

export const text = (node) => (node.tag === 0x0c ? utf8(node.value) : latin1(node.value));

// The visible digital seal: ICAO Doc 9303-13, version 3 and 4.
const ALPHABET = '    0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'; // from the fourth on: values 0 to 2 are of no letter
const PERMIT = 0xe106;

export class NotASeal extends Error {}

const fault = (what) => new Error(`seal: ${what}`);

export function readC40(bytes) {
  let text = '';
  if (bytes.length % 2) throw fault('C40 of an odd length');
  for (let i = 0; i < bytes.length; i += 2) {
    if (bytes[i] === 0xfe) {
      if (i + 2 !== bytes.length || bytes[i + 1] === 0) throw fault('C40');
      text += String.fromCharCode(bytes[i + 1] - 1);
      continue;
    }
    const n = bytes[i] * 256 + bytes[i + 1] - 1;
    const three = [Math.floor(n / 1600), Math.floor(n / 40) % 40, n % 40];
    const last = i + 2 === bytes.length;
    if (n < 0 || three.some((u, k) => u > 39 || (u < 3 && !(last && k === 2 && u === 0)))) throw fault('C40');
    text += three.filter((u) => u >= 3).map((u) => ALPHABET[u]).join('');
  }
  return text;
}

// MMDDYYYY as a number of three bytes → YYYY-MM-DD.
export function readDate(bytes) {
  const n = bytes[0] * 65536 + bytes[1] * 256 + bytes[2];
  const digits = String(n).padStart(8, '0');
  const text = `${digits.slice(4)}-${digits.slice(0, 2)}-${digits.slice(2, 4)}`;
  const day = new Date(`${text}T00:00:00Z`);
  if (bytes.length !== 3 || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) throw fault('a date');
  return text;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(n) {
    if (this.at + n > this.bytes.length) throw fault('cut short');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  byte() {
    return this.take(1)[0];
  }

  length() {
    const first = this.byte();
    if (first < 0x80) return first;
    if (first !== 0x81 && first !== 0x82) throw fault('a length');
    return this.take(first - 0x80).reduce((n, b) => n * 256 + b, 0);
  }
}

function readSigner(reader, version) {
  if (version === 2) {
    const text = readC40(reader.take(6));
    return { signer: text.slice(0, 4), reference: text.slice(4) };
  }
  const head = readC40(reader.take(4));
  const n = parseInt(head.slice(4), 16);
  if (head.length !== 6 || !(n > 0)) throw fault('a certificate reference');
  const reference = readC40(reader.take(2 * Math.ceil(n / 3)));
  if (reference.length !== n) throw fault('a certificate reference');
  return { signer: head.slice(0, 4), reference };
}

function readTags(reader) {
  const tags = new Map();
  for (;;) {
    const tag = reader.byte();
    if (tag === 0xff) return tags;
    if (tags.has(tag)) throw fault('a tag stands twice');
    tags.set(tag, reader.take(reader.length()));
  }
}

// The parts of a seal; NotASeal where the bytes are something else, another error where they are damaged.
export function readSeal(bytes) {
  if (bytes[0] !== 0xdc) throw new NotASeal('not a seal');
  const reader = new Reader(bytes);
  const version = reader.take(2)[1];
  if (version !== 2 && version !== 3) throw fault('its version');
  const country = readC40(reader.take(2)).trimEnd();
  const { signer, reference } = readSigner(reader, version);
  const issued = readDate(reader.take(3)), signed = readDate(reader.take(3));
  const kind = reader.byte() * 256 + reader.byte();
  const tags = readTags(reader);
  const body = bytes.subarray(0, reader.at - 1);
  const signature = reader.take(reader.length());
  if (reader.at !== bytes.length) throw fault('something follows it');
  const id = `${signer}:${reference.replace(/^0+/, '').toUpperCase()}`;
  return { version, country, id, issued, signed, kind, tags, body, signature };
}

const expand = (date, century) => `${century}${date.slice(0, 2)}-${date.slice(2, 4)}-${date.slice(4, 6)}`;

// Birth lies in the past, and less than a hundred years ago.
function birthDay(digits, today) {
  if (!/^\d{6}$/.test(digits)) return digits.replace(/ /g, '–');
  const recent = expand(digits, '20');
  return recent <= today ? recent : expand(digits, '19');
}

export function readMrz(bytes, today) {
  const text = readC40(bytes);
  if (text.length !== 72) throw fault('the lines for machines');
  const [primary, secondary] = text.slice(5, 36).trimEnd().split(/ {2}/);
  return {
    lines: [text.slice(0, 36), text.slice(36)].map((line) => line.replace(/ /g, '<')),
    name: secondary ? `${primary}, ${secondary.trim()}` : primary,
    number: text.slice(36, 45).trimEnd(), nationality: text.slice(46, 49).trimEnd(),
    birth: birthDay(text.slice(49, 55), today), sex: text[56].trim(), expiry: /^\d{6}$/.test(text.slice(57, 63)) ? expand(text.slice(57, 63), '20') : undefined,
  };
}

// What a residence permit's seal says; the lines for machines may be missing.
export function readPermitSeal(seal, today) {
  if (seal.kind !== PERMIT || !seal.tags.has(4)) throw new NotASeal('a seal of another document');
  const c40 = (tag) => (seal.tags.has(tag) ? readC40(seal.tags.get(tag)).trimEnd() : undefined);
  const date = (tag) => (seal.tags.has(tag) ? readDate(seal.tags.get(tag)) : undefined);
  const mrz = seal.tags.has(2) ? readMrz(seal.tags.get(2), today) : {};
  return { ...mrz, passport: c40(3), no: c40(4), validFrom: date(5), validTo: date(6) ?? mrz.expiry };
}

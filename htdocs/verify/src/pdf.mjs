// A signed PDF of the platform: what its one signature covers, and the statement in the revision that it made.
import { join, latin1, unhex, utf8 } from './bytes.mjs';
import { readFirst } from './der.mjs';

const STATEMENT = '<</Type/EmbeddedFile/Subtype/application#2Fjson/Length ';

export class Unsigned extends Error {}

const fault = (what) => new Error(`PDF: ${what}`);

export const isPdf = (bytes) => latin1(bytes.subarray(0, 5)) === '%PDF-';

// The only ByteRange of the file: from its first to its last byte, with nothing but the signature left out.
function readRange(text) {
  const all = [...text.matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)];
  if (all.length === 0) throw new Unsigned('PDF: no signature');
  if (all.length > 1) throw fault('several signatures');
  const [zero, hole, after, rest] = all[0].slice(1).map(Number);
  if (zero !== 0 || hole >= after || after + rest !== text.length) throw fault('its signature does not cover the whole');
  if (all[0].index > hole) throw fault('its signature lies elsewhere');
  return { hole, after };
}

function readSignature(text, { hole, after }) {
  const m = /^<([0-9A-Fa-f]+)>$/.exec(text.slice(hole, after));
  if (!m || !/\/Contents\s*$/.test(text.slice(Math.max(0, hole - 40), hole))) throw fault('its signature is no signature');
  const { whole, rest } = readFirst(unhex(m[1]));
  if (rest.some((byte) => byte !== 0)) throw fault('something follows its signature');
  return whole;
}

// Where the objects of the last revision begin, by the table that the file ends with.
function readTable(text) {
  const end = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(text.slice(-64));
  const lines = end && text.slice(Number(end[1])).split(/\r\n|\r|\n/).map((line) => line.trim());
  if (!lines || lines.shift() !== 'xref') throw fault('no table of objects');
  const offsets = new Map();
  while (lines.length && lines[0] !== 'trailer') {
    const head = /^(\d+) (\d+)$/.exec(lines.shift());
    if (!head) throw fault('its table of objects');
    for (let i = 0; i < Number(head[2]); i++) {
      const row = /^(\d{10}) \d{5} ([nf])$/.exec(lines.shift());
      if (!row) throw fault('its table of objects');
      if (row[2] === 'n') offsets.set(Number(head[1]) + i, Number(row[1]));
    }
  }
  return offsets;
}

// The JSON of the embedded file that the last revision brought; undefined where it brought none.
function readStatement(text, bytes) {
  const found = [];
  for (const [number, offset] of readTable(text)) {
    const head = new RegExp(`^${number} 0 obj\\s+`).exec(text.slice(offset, offset + 32));
    const at = head ? offset + head[0].length : -1;
    if (at >= 0 && text.startsWith(STATEMENT, at)) found.push(at);
  }
  if (found.length === 0) return undefined;
  if (found.length > 1) throw fault('several statements');
  const m = /^(\d+)[^]*?>>\s*stream\r?\n/.exec(text.slice(found[0] + STATEMENT.length, found[0] + STATEMENT.length + 400));
  const start = m && found[0] + STATEMENT.length + m[0].length, end = m && start + Number(m[1]);
  if (!m || !/^\s*endstream/.test(text.slice(end, end + 16))) throw fault('its statement');
  return utf8(bytes.subarray(start, end));
}

function readTime(text, hole) {
  const m = [...text.slice(Math.max(0, hole - 4096), hole).matchAll(/\/M\s*\(D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\+08'00'\)/g)].at(-1);
  return m ? Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}+08:00`) : NaN;
}

// {cms, signed, when, statement}: the signature, the bytes that it must be of, when it says it was made, and the statement's text.
export function readPdf(bytes) {
  const text = latin1(bytes), range = readRange(text);
  return {
    cms: readSignature(text, range), signed: join([bytes.subarray(0, range.hole), bytes.subarray(range.after)]),
    when: readTime(text, range.hole), statement: readStatement(text, bytes),
  };
}

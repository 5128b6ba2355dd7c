// Certificates: what they say, and whether one issued another.
import * as der from './der.mjs';
import { hex, sha256, same, unbase64 } from './bytes.mjs';

const CURVES = { '1.2.840.10045.3.1.7': ['P-256', 32], '1.3.132.0.34': ['P-384', 48], '1.3.132.0.35': ['P-521', 66] };
const SIGNATURES = {
  '1.2.840.10045.4.3.2': ['EC', 'SHA-256'], '1.2.840.10045.4.3.3': ['EC', 'SHA-384'], '1.2.840.10045.4.3.4': ['EC', 'SHA-512'],
  '1.2.840.113549.1.1.1': ['RSA', 'SHA-256'], '1.2.840.113549.1.1.11': ['RSA', 'SHA-256'],
  '1.2.840.113549.1.1.12': ['RSA', 'SHA-384'], '1.2.840.113549.1.1.13': ['RSA', 'SHA-512'],
};
const CONSTRAINTS = '2.5.29.19', KEY_USAGE = '2.5.29.15', EXTENDED_USAGE = '2.5.29.37';
const DEPTH_MAX = 4;

function readExtensions(node) {
  const found = new Map();
  for (const one of node ? der.children(der.read(node.value, der.SEQ)) : []) {
    const parts = der.children(der.expect(one, der.SEQ));
    const id = der.oid(parts[0]), critical = parts[1]?.tag === der.BOOL && parts[1].value[0] === 0xff;
    if (found.has(id)) throw new Error('certificate: an extension stands twice');
    if (critical && ![CONSTRAINTS, KEY_USAGE, EXTENDED_USAGE].includes(id)) throw new Error(`certificate: extension ${id}`);
    found.set(id, der.expect(parts.at(-1), der.OCTETS).value);
  }
  return found;
}

function readCa(extensions) {
  const value = extensions.get(CONSTRAINTS);
  return !!value && der.children(der.read(value, der.SEQ))[0]?.value[0] === 0xff;
}

// Bits of keyUsage from the left; without the extension, all.
function readUsage(extensions) {
  const value = extensions.get(KEY_USAGE);
  return value ? der.read(value, der.BITS).value[1] ?? 0 : 0xff;
}

function readName(node) {
  return der.children(node).flatMap((set) => der.children(set)).map((pair) => {
    const [id, value] = der.children(pair);
    return [der.oid(id), der.text(value)];
  });
}

function readKey(spki) {
  const [algorithm] = der.children(spki);
  const [id, parameters] = der.children(algorithm);
  if (der.oid(id) === '1.2.840.113549.1.1.1') return { kind: 'RSA' };
  const curve = der.oid(id) === '1.2.840.10045.2.1' && CURVES[der.oid(parameters)];
  if (!curve) throw new Error('certificate: a kind of key');
  return { kind: 'EC', curve: curve[0], size: curve[1] };
}

export function readCertificate(bytes) {
  const [tbs, algorithm, signature] = der.children(der.read(bytes, der.SEQ));
  const parts = der.children(der.expect(tbs, der.SEQ));
  if (parts[0]?.tag !== 0xa0) throw new Error('certificate: not of version 3');
  const [, serial, inner, issuer, validity, subject, spki, ...more] = parts;
  if (!same(inner.whole, algorithm.whole)) throw new Error('certificate: two algorithms');
  const [from, to] = der.children(validity).map(der.time);
  const extensions = readExtensions(more.find((node) => node.tag === 0xa3));
  return {
    bytes, tbs: tbs.whole, algorithm: der.oid(der.children(algorithm)[0]), signature: der.bits(signature),
    serial: hex(der.expect(serial, der.INT).value).replace(/^0+/, '').toUpperCase(),
    issuer: issuer.whole, subject: subject.whole, name: readName(subject), from, to,
    spki: spki.whole, key: readKey(spki), ca: readCa(extensions), usage: readUsage(extensions),
  };
}

export function readPem(text) {
  const m = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(text);
  if (!m) throw new Error('certificate: no PEM');
  return readCertificate(unbase64(m[1].replace(/\s/g, '')));
}

export const commonName = (cert) => cert.name.find(([id]) => id === '2.5.4.3')?.[1] ?? '';
export const signs = (cert) => (cert.usage & 0xc0) !== 0;
export const keyId = async (cert) => hex(await sha256(cert.bytes)).slice(0, 16);

// r and s as DER has them, in the fixed width that WebCrypto takes.
function rawSignature(signature, size) {
  const raw = new Uint8Array(2 * size);
  const numbers = der.children(der.read(signature, der.SEQ));
  if (numbers.length !== 2) throw new Error('signature: not two numbers');
  numbers.forEach((node, i) => {
    let { value } = der.expect(node, der.INT);
    if (value.length === 0 || value[0] > 127) throw new Error('signature: a negative number');
    if (value.length > 1 && value[0] === 0) value = value.subarray(1);
    if (value.length > size) throw new Error('signature: a number is too large');
    raw.set(value, (i + 1) * size - value.length);
  });
  return raw;
}

// Whether the certificate's key made the raw signature (r and s in their fixed width) with SHA-256.
export async function verifyRaw(cert, signature, bytes) {
  if (cert.key.curve !== 'P-256' || signature.length !== 64) return false;
  const key = await crypto.subtle.importKey('spki', cert.spki, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, bytes);
}

export async function verifySigned(cert, algorithm, signature, bytes) {
  const [kind, hash] = SIGNATURES[algorithm] ?? [];
  if (kind !== cert.key.kind) return false;
  if (kind === 'RSA') {
    const key = await crypto.subtle.importKey('spki', cert.spki, { name: 'RSASSA-PKCS1-v1_5', hash }, false, ['verify']);
    return key.algorithm.modulusLength >= 2048 && crypto.subtle.verify(key.algorithm, key, signature, bytes);
  }
  const key = await crypto.subtle.importKey('spki', cert.spki, { name: 'ECDSA', namedCurve: cert.key.curve }, false, ['verify']);
  return crypto.subtle.verify({ name: 'ECDSA', hash }, key, rawSignature(signature, cert.key.size), bytes);
}

const validAt = (cert, when) => cert.from <= when && when <= cert.to;
const mayIssue = (cert) => cert.ca && (cert.usage & 0x04) !== 0;

// Whether a path leads from the certificate over others to a root, each of them valid at that time.
export async function chains(cert, others, roots, when, depth = DEPTH_MAX) {
  if (depth === 0 || !validAt(cert, when)) return false;
  for (const issuer of [...roots, ...others]) {
    if (!same(issuer.subject, cert.issuer) || !mayIssue(issuer) || !validAt(issuer, when)) continue;
    if (!(await verifySigned(issuer, cert.algorithm, cert.signature, cert.tbs).catch(() => false))) continue;
    if (roots.includes(issuer) || (await chains(issuer, others, roots, when, depth - 1))) return true;
  }
  return false;
}

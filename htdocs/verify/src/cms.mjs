// A CMS signature over bytes that lie beside it, as PAdES baseline B has it.
import * as der from './der.mjs';
import { same, sha256 } from './bytes.mjs';
import { readCertificate, signs, verifySigned } from './x509.mjs';

const SIGNED_DATA = '1.2.840.113549.1.7.2', DATA = '1.2.840.113549.1.7.1', SHA256 = '2.16.840.1.101.3.4.2.1';
const CONTENT_TYPE = '1.2.840.113549.1.9.3', DIGEST = '1.2.840.113549.1.9.4', SIGNING_CERT = '1.2.840.113549.1.9.16.2.47';

const fault = (what) => new Error(`signature: ${what}`);

function readAttributes(node) {
  const found = new Map();
  for (const one of der.children(der.expect(node, 0xa0))) {
    const [id, set] = der.children(der.expect(one, der.SEQ));
    const values = der.children(der.expect(set, der.SET));
    if (values.length !== 1 || found.has(der.oid(id))) throw fault('an attribute stands twice');
    found.set(der.oid(id), values[0]);
  }
  return found;
}

function readSignerInfo(node) {
  const [version, sid, digest, attributes, algorithm, signature] = der.children(der.expect(node, der.SEQ));
  if (der.small(version) !== 1) throw fault('its signer is named otherwise');
  const [issuer, serial] = der.children(der.expect(sid, der.SEQ));
  if (der.oid(der.children(digest)[0]) !== SHA256) throw fault('not SHA-256');
  const signed = attributes.whole.slice();
  signed[0] = der.SET;
  return {
    issuer: issuer.whole, serial: serial.whole, attributes: readAttributes(attributes), signed,
    algorithm: der.oid(der.children(algorithm)[0]), signature: der.expect(signature, der.OCTETS).value,
  };
}

function readSignedData(bytes) {
  const [type, wrapped] = der.children(der.read(bytes, der.SEQ));
  if (der.oid(type) !== SIGNED_DATA) throw fault('no signed data');
  const [, , content, ...rest] = der.children(der.read(wrapped.value, der.SEQ));
  const inner = der.children(der.expect(content, der.SEQ));
  if (inner.length !== 1 || der.oid(inner[0]) !== DATA) throw fault('it carries what it signs');
  const certificates = rest.find((node) => node.tag === 0xa0);
  const infos = der.children(der.expect(rest.at(-1), der.SET));
  if (infos.length !== 1) throw fault('not one signer');
  return { certificates: certificates ? der.children(certificates) : [], info: readSignerInfo(infos[0]) };
}

// SEQUENCE { SEQUENCE OF ESSCertIDv2 { [hash algorithm, SHA-256 where it is missing,] hash, … } }
function signingCertHash(attributes) {
  const value = attributes.get(SIGNING_CERT);
  if (!value) throw fault('it does not name its certificate');
  const [list] = der.children(der.expect(value, der.SEQ));
  const [first, ...more] = der.children(der.expect(list, der.SEQ));
  if (!first || more.length) throw fault('it names several certificates');
  const parts = der.children(first);
  if (parts[0].tag === der.SEQ && der.oid(der.children(parts.shift())[0]) !== SHA256) throw fault('not SHA-256');
  return der.expect(parts[0], der.OCTETS).value;
}

const serialOf = (bytes) => der.children(der.children(der.read(bytes, der.SEQ))[0])[1].whole;

// {cert, others, intact}: who signed, the certificates beside his, and whether the bytes are those that he signed.
export async function readCms(cms, bytes) {
  const { certificates, info } = readSignedData(cms);
  const all = certificates.map((node) => readCertificate(node.whole));
  const cert = all.find((c) => same(c.issuer, info.issuer) && same(serialOf(c.bytes), info.serial));
  if (!cert || !signs(cert)) throw fault('its certificate is missing');
  const type = info.attributes.get(CONTENT_TYPE), digest = info.attributes.get(DIGEST);
  if (!type || der.oid(type) !== DATA || !digest) throw fault('an attribute is missing');
  if (!same(signingCertHash(info.attributes), await sha256(cert.bytes))) throw fault('it names another certificate');
  const intact = same(der.expect(digest, der.OCTETS).value, await sha256(bytes)) &&
    (await verifySigned(cert, info.algorithm, info.signature, info.signed));
  return { cert, others: all.filter((c) => c !== cert), intact };
}

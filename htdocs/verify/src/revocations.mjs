// revocations.jws: the permits that were superseded or revoked before their time.
import { encode, unbase64, unbase64url, utf8 } from './bytes.mjs';
import { chains, readCertificate, verifyRaw } from './x509.mjs';
import { listed } from './trust.mjs';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export class Altered extends Error {}
export class Unknown extends Error {}

export const isJws = (text) => /^eyJ[\w-]+\.[\w-]+\.[\w-]+\s*$/.test(text);

function readPayload(text) {
  const list = JSON.parse(text);
  const issued = Date.parse(list.issued), next = Date.parse(list.next_update);
  if (list.format !== 'fwpermit-revocations/1' || !(issued < next) || !Array.isArray(list.permits)) throw new Error('no revocation list');
  const permits = new Map();
  for (const { no, state, since } of list.permits) {
    if (typeof no !== 'string' || !['superseded', 'revoked'].includes(state) || !DAY.test(since)) throw new Error('revocation list: an entry');
    permits.set(no, { state, since });
  }
  return { issued, next, issuer: list.issuer, permits };
}

// The list, when a listed signer of permits made it and nothing was changed; Altered, Unknown or another error.
export async function readRevocations(text, trust) {
  const [head, body, signature] = text.trim().split('.');
  const header = JSON.parse(utf8(unbase64url(head)));
  if (header.alg !== 'ES256' || header.typ !== 'fwpermit-revocations' || header.crit || !Array.isArray(header.x5c)) throw new Error('no revocation list');
  const [cert, ...others] = header.x5c.map((one) => readCertificate(unbase64(one)));
  if (!(await verifyRaw(cert, unbase64url(signature), encode(`${head}.${body}`)))) throw new Altered('revocation list');
  const list = readPayload(utf8(unbase64url(body)));
  if (!listed(trust, cert, ['permit']) || !(await chains(cert, others, trust.roots, list.issued))) throw new Unknown('revocation list');
  return list;
}

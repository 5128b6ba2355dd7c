// trust.json: the roots, and which certificate signs what.
import { keyId, readPem, signs } from './x509.mjs';
import { same } from './bytes.mjs';

const USES = ['permit', 'receipt', 'seal'];

export async function readTrust(text) {
  const file = JSON.parse(text);
  if (file.format !== 'fwpermit-trust/1' || !Array.isArray(file.roots) || !Array.isArray(file.signers)) throw new Error('no trust list');
  const signers = [];
  for (const one of file.signers) {
    const cert = readPem(one.cert);
    if (!USES.includes(one.use) || one.kid !== (await keyId(cert))) throw new Error('trust list: a signer is not what it says');
    if (signs(cert)) signers.push({ kid: one.kid, use: one.use, sealId: one.seal_id, cert });
  }
  return { agency: file.agency ?? {}, issued: Date.parse(file.issued), roots: file.roots.map(readPem), signers };
}

export const listed = (trust, cert, uses) => trust.signers.some((s) => uses.includes(s.use) && same(s.cert.bytes, cert.bytes));
export const sealSigners = (trust, id) => trust.signers.filter((s) => s.use === 'seal' && s.sealId === id);

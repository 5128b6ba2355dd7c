// What a document is worth: its signature, its signer, its time, and the revocation list. No page and no clock in here.
import { NotASeal, readPermitSeal, readSeal } from './seal.mjs';
import { Unsigned, readPdf } from './pdf.mjs';
import { readCms } from './cms.mjs';
import { chains, commonName, verifyRaw } from './x509.mjs';
import { listed, sealSigners } from './trust.mjs';
import { encode, hex, sha256 } from './bytes.mjs';

const USES = {
  'fwpermit-permit/1': ['permit'], 'fwpermit-filing/1': ['receipt', 'permit'], 'fwpermit-receipt/1': ['receipt'],
};
const CLOCK_SLACK = 3600e3;

// The day in Taiwan, by which permits begin and end.
export const dayOf = (now) => new Date(now + 8 * 3600e3).toISOString().slice(0, 10);

export function judgeList(list, now) {
  if (!list) return 'none';
  if (now < list.issued - CLOCK_SLACK) return 'clock';
  return now > list.next ? 'old' : 'fresh';
}

// The state of a permit whose signature is good.
function judgePermit({ no, validFrom, validTo }, list, now) {
  const today = dayOf(now), ended = list?.permits.get(no);
  if (ended) return { verdict: ended.state, since: ended.since };
  if (validTo && validTo < today) return { verdict: 'expired' };
  if (validFrom && validFrom > today) return { verdict: 'early' };
  return { verdict: 'genuine' };
}

// A seal tells its day alone: the certificate may begin in the middle of it.
const momentOf = (day, cert) => Math.min(Math.max(Date.parse(`${day}T00:00:00+08:00`), cert.from), Date.parse(`${day}T23:59:59Z`));

// 'good', 'altered', or 'unknown' where no path leads to a root.
async function checkSeal(seal, signers, trust) {
  for (const { cert } of signers)
    if (await verifyRaw(cert, seal.signature, seal.body)) return (await chains(cert, [], trust.roots, momentOf(seal.signed, cert))) ? 'good' : 'unknown';
  return 'altered';
}

// The bytes of a square code.
export async function judgeSeal(bytes, { trust, list, now }) {
  let seal, permit;
  try {
    seal = readSeal(bytes);
    permit = readPermitSeal(seal, dayOf(now));
  } catch (error) {
    return { verdict: error instanceof NotASeal ? 'other' : 'damaged', what: 'seal', why: error.message };
  }
  const facts = { what: 'seal', permit, signer: seal.id, signed: seal.signed };
  const signers = sealSigners(trust, seal.id);
  const checked = signers.length ? await checkSeal(seal, signers, trust) : 'unknown';
  if (checked !== 'good') return { ...facts, verdict: checked };
  return { ...facts, ...judgePermit(permit, list, now), list: judgeList(list, now) };
}

function readStatement(text) {
  const statement = JSON.parse(text);
  if (!Object.hasOwn(USES, statement.format)) throw new Error('PDF: a statement of another kind');
  return statement;
}

// The keys in order and no space, as RFC 8785 has it for what the platform's forms hold.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

async function judgeStatement(statement, list, now) {
  if (statement.format === 'fwpermit-permit/1')
    return { ...judgePermit({ no: statement.no, validFrom: statement.valid_from, validTo: statement.valid_to }, list, now), list: judgeList(list, now) };
  if (statement.format === 'fwpermit-filing/1' && hex(await sha256(encode(canonical(statement.data)))) !== statement.data_sha256)
    return { verdict: 'altered', why: 'data_sha256' };
  return { verdict: 'genuine' };
}

async function judgeSigned(pdf, { cert, others }, { trust, list, now }) {
  const facts = { what: 'pdf', signer: commonName(cert), signed: pdf.when };
  if (!listed(trust, cert, ['permit', 'receipt'])) return { ...facts, verdict: 'unknown' };
  if (!(await chains(cert, others, trust.roots, pdf.when))) return { ...facts, verdict: 'unknown' };
  if (pdf.statement === undefined) return { ...facts, verdict: 'plain' };
  const statement = readStatement(pdf.statement);
  if (!listed(trust, cert, USES[statement.format])) return { ...facts, verdict: 'unknown' };
  return { ...facts, statement, ...(await judgeStatement(statement, list, now)) };
}

export async function judgePdf(bytes, where) {
  try {
    const pdf = readPdf(bytes);
    const cms = await readCms(pdf.cms, pdf.signed);
    if (!cms.intact) return { what: 'pdf', verdict: 'altered', why: 'signature' };
    return await judgeSigned(pdf, cms, where);
  } catch (error) {
    return { what: 'pdf', verdict: error instanceof Unsigned ? 'unsigned' : 'altered', why: error.message };
  }
}

// Which of the files that a receipt of filing names these bytes are.
export async function findFiled(statement, bytes) {
  const digest = hex(await sha256(bytes));
  return statement.files.find((file) => file.sha256 === digest && file.size === bytes.length);
}

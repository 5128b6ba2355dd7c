// Papers of an agency that exists in this test alone: its keys, seals, signed PDFs and lists, and a stranger's.
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical } from '../../htdocs/verify/src/judge.mjs';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

// ---- keys ----

const EXTENSIONS = {
  ca: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
  end: 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,nonRepudiation\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
};

function makeKey(dir, name, subject, by) {
  const at = (suffix) => join(dir, `${name}.${suffix}`);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at('key'));
  openssl('req', '-new', '-key', at('key'), '-subj', subject, '-utf8', '-out', at('csr'));
  writeFileSync(at('ext'), by ? EXTENSIONS.end : EXTENSIONS.ca);
  const issuer = by ? ['-CA', by.certFile, '-CAkey', by.keyFile] : ['-signkey', at('key')];
  openssl('x509', '-req', '-in', at('csr'), ...issuer, '-set_serial', `0x${sha256(dir + name).slice(0, 8).replace(/^[89a-f]/, '7')}`, '-days', '400', '-sha256', '-extfile', at('ext'), '-out', at('crt'));
  const pem = readFileSync(at('crt'), 'utf8'), cert = new X509Certificate(pem);
  return { keyFile: at('key'), certFile: at('crt'), pem, cert, kid: sha256(cert.raw).slice(0, 16), key: createPrivateKey(readFileSync(at('key'))) };
}

export function makeAgency(dir, name = 'Agency of the test') {
  mkdirSync(dir, { recursive: true });
  const root = makeKey(dir, 'root', `/C=TW/O=${name}/CN=CA`);
  const key = (one, subject) => makeKey(dir, one, subject, root);
  return {
    root, permit: key('permit', `/C=TW/O=${name}/CN=Residence permits`), receipt: key('receipt', `/C=TW/O=${name}/CN=Receipts`), seal: key('seal', '/C=TW/CN=NI'),
  };
}

const reference = (key) => key.cert.serialNumber.replace(/^0+/, '').toUpperCase();
export const sealId = (key) => `TWNI:${reference(key)}`;

export function trustOf(agency, without = []) {
  const signers = ['permit', 'receipt', 'seal'].filter((use) => !without.includes(use)).map((use) => ({
    kid: agency[use].kid, use, current: true, cert: agency[use].pem, ...(use === 'seal' ? { seal_id: sealId(agency.seal) } : {}),
  }));
  return JSON.stringify({ format: 'fwpermit-trust/1', agency: { zh: '測試機關', en: 'Agency of the test' }, issued: new Date().toISOString(), roots: [agency.root.pem], signers });
}

// ---- seals ----

function c40(text) {
  const values = [...text.replaceAll('<', ' ')].map((c) => (c === ' ' ? 3 : /\d/.test(c) ? Number(c) + 4 : c.charCodeAt(0) - 65 + 14));
  const bytes = [];
  for (let i = 0; i < values.length; i += 3) {
    if (i + 1 === values.length) bytes.push(0xfe, text.charCodeAt(i) + 1);
    else {
      const n = 1600 * values[i] + 40 * values[i + 1] + (values[i + 2] ?? 0) + 1;
      bytes.push(n >> 8, n & 255);
    }
  }
  return Buffer.from(bytes);
}

function date(day) {
  const [y, m, d] = day.split('-'), n = Number(m + d + y);
  return Buffer.from([n >> 16, (n >> 8) & 255, n & 255]);
}

export const tag = (number, value) => Buffer.concat([Buffer.from([number, value.length]), value]);

export const person = { no: 'EP1150000001', from: '2026-01-02', to: '2027-01-01', name: 'NGUYEN<<VAN<ANH', number: 'A80000001', passport: 'C1234567' };

// {key, tags, kind, end}: `tags` after the usual ones, `end` after the signature.
export function makeSeal(key, { p = person, tags = [], kind = 0xe106, end = '' } = {}) {
  const ref = reference(key), day = date(new Date().toISOString().slice(0, 10));
  const mrz = `ARTWN${p.name.padEnd(31, '<')}${p.number}5VNM9003152M2701013<<<<<<<6`;
  const body = Buffer.concat([
    Buffer.from([0xdc, 0x03]), c40('TWN'), c40(`TWNI${ref.length.toString(16).toUpperCase().padStart(2, '0')}`), c40(ref), day, day, Buffer.from([kind >> 8, kind & 255]),
    tag(2, c40(mrz)), tag(3, c40(p.passport)), tag(4, c40(p.no)), tag(5, date(p.from)), tag(6, date(p.to)), ...tags,
  ]);
  return Buffer.concat([body, tag(0xff, sign('sha256', body, { key: key.key, dsaEncoding: 'ieee-p1363' })), Buffer.from(end)]);
}

// ---- revocation lists ----

const base64url = (text) => Buffer.from(text).toString('base64url');

export function makeList(key, permits, issued = Date.now(), alg = 'ES256') {
  const at = (time) => new Date(time).toISOString().replace(/\.\d+Z/, 'Z');
  const head = base64url(JSON.stringify({ alg, kid: key.kid, typ: 'fwpermit-revocations', x5c: [key.cert.raw.toString('base64')] }));
  const body = base64url(JSON.stringify({ format: 'fwpermit-revocations/1', issuer: 'Agency of the test', issued: at(issued), next_update: at(issued + 864e5), permits }));
  return `${head}.${body}.${sign('sha256', Buffer.from(`${head}.${body}`), { key: key.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

// ---- PDFs ----

class Revision {
  constructor(before = '') {
    this.text = before;
    this.offsets = new Map();
  }

  put(number, body) {
    this.offsets.set(number, Buffer.byteLength(this.text));
    this.text += `${number} 0 obj\n${body}\nendobj\n`;
  }

  end(size, previous) {
    const table = Buffer.byteLength(this.text);
    const rows = [...this.offsets].sort((a, b) => a[0] - b[0]).map(([number, at]) => `${number} 1\n${String(at).padStart(10, '0')} 00000 n\r\n`);
    this.text += `xref\n${previous === undefined ? '0 1\n0000000000 65535 f\r\n' : ''}${rows.join('')}trailer\n<< /Size ${size} /Root 1 0 R${previous === undefined ? '' : ` /Prev ${previous}`} >>\nstartxref\n${table}\n%%EOF\n`;
    return table;
  }
}

const ROOM = 8192;

function unsigned(extra = '') {
  const first = new Revision('%PDF-1.7\n');
  first.put(1, '<< /Type /Catalog /Pages 2 0 R >>');
  first.put(2, '<< /Type /Pages /Kids [3 0 R] /Count 1 >>');
  first.put(3, `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>${extra}`);
  return { text: first.text, revision: first };
}

// The statement and the signature in one revision after a page; `dir` is for openssl's files.
export function makePdf(dir, key, statement, { certs } = {}) {
  const { text: page, revision } = unsigned(), previous = revision.end(4);
  const update = new Revision(revision.text.length ? revision.text : page);
  const json = statement && JSON.stringify(statement);
  update.put(1, `<< /Type /Catalog /Pages 2 0 R${json ? ' /Names << /EmbeddedFiles << /Names [(fwpermit.json) 5 0 R] >> >>' : ''} /AcroForm << /Fields [6 0 R] /SigFlags 3 >> >>`);
  if (json) {
    update.put(4, `<</Type/EmbeddedFile/Subtype/application#2Fjson/Length ${Buffer.byteLength(json)}>>\nstream\n${json}\nendstream`);
    update.put(5, '<< /Type /Filespec /F (fwpermit.json) /UF (fwpermit.json) /EF << /F 4 0 R >> >>');
  }
  update.put(6, '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V 7 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>');
  const taipei = new Date(Date.now() + 8 * 3600e3).toISOString().replace(/\D/g, '').slice(0, 14);
  update.put(7, `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:${taipei}+08'00') /ByteRange [0 ${'@'.repeat(32)}] /Contents <${'0'.repeat(2 * ROOM)}> >>`);
  update.end(8, previous);
  return signHole(dir, key, Buffer.from(update.text), certs);
}

function signHole(dir, key, pdf, certs = []) {
  const hole = pdf.lastIndexOf('/Contents <') + '/Contents '.length, after = hole + 2 * ROOM + 2;
  pdf.write(`${hole} ${after} ${pdf.length - after}`.padEnd(32), pdf.lastIndexOf('@'.repeat(32)));
  writeFileSync(join(dir, 'to-sign'), Buffer.concat([pdf.subarray(0, hole), pdf.subarray(after)]));
  const more = certs.flatMap((file) => ['-certfile', file]);
  const cms = openssl('cms', '-sign', '-binary', '-cades', '-md', 'sha256', '-nosmimecap', '-in', join(dir, 'to-sign'), '-signer', key.certFile, '-inkey', key.keyFile, ...more, '-outform', 'DER');
  pdf.write(cms.toString('hex'), hole + 1);
  return pdf;
}

export const permitOf = (p = person) => ({
  birth: '1990-03-15', case_no: 'RC1150000001', format: 'fwpermit-permit/1', name: 'NGUYỄN VĂN ANH', nationality: 'VNM', no: p.no, passport_no: p.passport, sex: 'M', valid_from: p.from, valid_to: p.to,
});

export function filingOf(files) {
  const data = { worker_name: 'NGUYEN VAN ANH', 'address': '臺北市中正區廣州街 15 號', days: 365, reasons: ['work', '續聘'] };
  return {
    case_no: 'RC1150000001', data, data_sha256: sha256(canonical(data)), filed: '2026-11-25T06:30:00Z',
    files: files.map(([field, name, bytes]) => ({ field, name, sha256: sha256(bytes), size: bytes.length })), format: 'fwpermit-filing/1', service: 'arc_new',
  };
}

export const receiptOf = () => ({ amount: 1000, cases: ['RC1150000001'], format: 'fwpermit-receipt/1', no: 'R1150000001', order_no: 'NIA1150000001', paid: '2026-11-25T06:40:00Z' });

// One more signature after the first, which stays whole.
export function signAgain(dir, key, pdf) {
  const text = pdf.toString('latin1'), update = new Revision(text);
  update.put(9, `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 ${'@'.repeat(32)}] /Contents <${'0'.repeat(2 * ROOM)}> >>`);
  update.end(10, Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(text)[1]));
  return signHole(dir, key, Buffer.from(update.text, 'latin1'));
}

// The page's parts by themselves, in node: seals of the published vectors, signatures, lists.
import { createPublicKey, verify } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unhex } from '../../htdocs/verify/src/bytes.mjs';
import { judgePdf, judgeSeal, findFiled, canonical } from '../../htdocs/verify/src/judge.mjs';
import { readCertificate } from '../../htdocs/verify/src/x509.mjs';
import { readC40, readDate, readMrz, readPermitSeal, readSeal } from '../../htdocs/verify/src/seal.mjs';
import { readRevocations } from '../../htdocs/verify/src/revocations.mjs';
import { readTrust } from '../../htdocs/verify/src/trust.mjs';
import * as make from './papers.mjs';
import { check, equal } from './count.mjs';

const OWN = 'dc03d3fcd3fc8a2719c90f984a0f984afb0602305c7ae554827774bc1847a947ac0c133c133c133c133c133c596519a519a63dd4a48d1a1e394b273d1fe62c3c133c1343030664cf2d0a403cff4061a5526d814b7d832addd5a8ab8a2393fe3c247a30c31fc3e58e0bd9e93035e885a5df1de5329a53fb26d6e84bc27a31acbd3923715badacc82b0e8fd5aa135b';
const OWN_KEY = '0441f648f9333c0ca0c05ea11237154bce9a72d43ed115278050f2e932d539197c9fc9eafbf8087beab64b8f619c90ee75747454c7bc96270617d7be575ae28ac3';
// the example of docs/integrators/seal.md, with the same key
const EXAMPLE = 'dc03d3fcd3fc8a292177fe432e1ccaabd84ae10602305c7ae554827774bc17fe8a1688adabe4d197af7c133c133c750e20ad19a51854a4911abf201c278d2c662c8f2cb41341030664cf2d0a40390408750e20ad19a5203805032e1cca06032df5bdff406236f59efa46c57eefe4791f489d97f9d6494e1ff228f887ccd4709612c83f7800123da82da57af1e13b55f13e5ad00dc3058ff7a4436277e2353dbadd58b353';
const PUBLISHED = 'dc03d9c5d9cac8a73a990f71346ecf47fb0602305cba135875976ec066d417b59e8c6abc133c133c133c133c3fef3a2938ee43f1593d1ae52dbb26751fe64b7c133c136b0306d79519a65306ff408b7f3b5f9a83fdd4f46ec7dccc3384bb6c540aaf52603cc66d1f08b7f5e71243475d0a833b51fd2a846622e847b1f3791803f26d734b9bd18178fa22cff2a31a';

function fails(work, pattern) {
  try {
    work();
  } catch (error) {
    if (pattern.test(error.message)) return;
    throw new Error(`failed otherwise: ${error.message}`);
  }
  throw new Error('it did not fail');
}

async function seals() {
  await check('C40 of the published vectors', () => {
    for (const [hex, text] of [['eb0466a9', 'XK CD'], ['eb11fe45', 'XKCD'], ['62d719c9', 'BSI01'], ['d9c5', 'UTO'], ['6abc', 'D  '], ['d3fc', 'TWN']]) equal(readC40(unhex(hex)), text);
    for (const hex of ['eb', '0000', 'fe00', 'ffff', 'fe45eb11']) fails(() => readC40(unhex(hex)), /C40/);
  });
  await check('dates of the published vectors', () => {
    for (const [hex, text] of [['319ef5', '1957-03-25'], ['99fdcb', '1979-10-09'], ['8d7ad8', '2024-09-27']]) equal(readDate(unhex(hex)), text);
    for (const hex of ['000000', 'ffffff', '319e']) fails(() => readDate(unhex(hex)), /date/);
  });
  await check('headers of both versions', () => {
    const end = 'ff00';
    for (const [hex, version] of [['dc036abc6d32c8a72cb18d7ad88d7ad8fb06', 3], ['dc026abc6d32c8a51a1f8d7ad88d7ad8fb06', 2]]) {
      const seal = readSeal(unhex(hex + end));
      equal([seal.version, seal.country, seal.id, seal.issued, seal.signed, seal.kind], [version, 'D', 'DETS:32', '2024-09-27', '2024-09-27', 0xfb06]);
    }
  });
  await check('the published residence permit', () => {
    const seal = readSeal(unhex(PUBLISHED)), mrz = readMrz(seal.tags.get(2), '2026-11-25');
    equal([seal.id, seal.issued, seal.signed, readC40(seal.tags.get(3))], ['UTTS:5B', '2020-01-01', '2023-07-26', 'UFO001979']);
    equal(mrz.lines, ['ATD<<RESIDORCE<<ROLAND<<<<<<<<<<<<<<', '6525845096USA7008038M2201018<<<<<<06']);
    equal([mrz.name, mrz.birth, mrz.nationality], ['RESIDORCE, ROLAND', '1970-08-03', 'USA']);
  });
  const signedByOwnKey = (seal) => {
    const point = unhex(OWN_KEY), key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: Buffer.from(point.subarray(1, 33)).toString('base64url'), y: Buffer.from(point.subarray(33)).toString('base64url') } });
    return verify('sha256', seal.body, { key, dsaEncoding: 'ieee-p1363' }, seal.signature);
  };
  await check('the P-256 seal and its signature', () => {
    const seal = readSeal(unhex(OWN));
    equal(signedByOwnKey(seal), true);
    equal(readMrz(seal.tags.get(2), '2026-11-25').name, 'NGUYEN, VAN ANH');
  });
  await check('the seal that the integrators read of', () => {
    const seal = readSeal(unhex(EXAMPLE)), permit = readPermitSeal(seal, '2026-11-26');
    equal([signedByOwnKey(seal), seal.id, seal.issued, seal.signed], [true, 'TWNI:1A2B', '2026-03-02', '2026-11-26']);
    equal(permit.lines, ['ARTWNNGUYEN<<THI<PHUONG<THAO<<<<<<<<', 'EP1150000<VNM9407211F29030131232<<<4']);
    equal([permit.no, permit.passport, permit.validFrom, permit.validTo, permit.name], ['EP1150000123', 'C1234567', '2026-03-02', '2029-03-01', 'NGUYEN, THI PHUONG THAO']);
    seal.tags.delete(2);
    equal(readPermitSeal(seal, '2026-11-26'), { passport: 'C1234567', no: 'EP1150000123', validFrom: '2026-03-02', validTo: '2029-03-01' });
  });
  await check('a seal cut at every byte, and with bytes after it, is refused', () => {
    const whole = unhex(OWN);
    for (let n = 1; n < whole.length; n++) fails(() => readSeal(whole.subarray(0, n)), /seal/);
    fails(() => readSeal(unhex(`${OWN}00`)), /follows/);
  });
}

async function judged(dir, agency, stranger) {
  const trust = await readTrust(make.trustOf(agency)), now = Date.now();
  const files = [['photo', 'photo.jpg', Buffer.from('one')], ['passport', '護照.pdf', Buffer.from('two')]];
  const revoked = await readRevocations(make.makeList(agency.permit, [{ no: make.person.no, state: 'revoked', since: '2026-11-20' }]), trust);
  const fresh = await readRevocations(make.makeList(agency.permit, []), trust);
  const seal = async (bytes, where = {}) => (await judgeSeal(Uint8Array.from(bytes), { trust, list: fresh, now, ...where }));
  const pdf = async (bytes, where = {}) => (await judgePdf(Uint8Array.from(bytes), { trust, list: fresh, now, ...where }));
  const permit = make.makePdf(dir, agency.permit, make.permitOf()), filing = make.makePdf(dir, agency.receipt, make.filingOf(files));
  const good = make.makeSeal(agency.seal);

  await check('a seal: genuine, with what it says', async () => {
    const found = await seal(good);
    equal([found.verdict, found.list, found.permit.no, found.permit.name, found.permit.validTo, found.permit.passport], ['genuine', 'fresh', make.person.no, 'NGUYEN, VAN ANH', '2027-01-01', 'C1234567']);
  });
  await check('a seal: every flipped byte of it is noticed', async () => {
    for (let i = 0; i < good.length; i++) {
      const bytes = Buffer.from(good);
      bytes[i] ^= 1;
      const { verdict } = await seal(bytes);
      if (!['altered', 'damaged', 'unknown', 'other'].includes(verdict)) throw new Error(`byte ${i}: ${verdict}`);
    }
  });
  await check('a seal: its time, the list, its signer', async () => {
    equal((await seal(good, { now: Date.parse('2027-01-02T00:00:00+08:00') })).verdict, 'expired');
    equal((await seal(good, { now: Date.parse('2027-01-01T23:59:00+08:00') })).verdict, 'genuine');
    equal((await seal(make.makeSeal(agency.seal, { p: { ...make.person, from: '2026-12-31' } }))).verdict, 'early');
    const ended = await seal(good, { list: revoked });
    equal([ended.verdict, ended.since], ['revoked', '2026-11-20']);
    equal((await seal(good, { list: undefined })).list, 'none');
    equal((await seal(good, { now: now + 2 * 864e5 })).list, 'old');
    equal((await seal(good, { now: now - 864e5 })).list, 'clock');
    equal((await seal(make.makeSeal(stranger.seal))).verdict, 'unknown');
    equal((await seal(make.makeSeal({ ...stranger.seal, cert: agency.seal.cert }))).verdict, 'altered');
  });
  await check('a seal: an unknown tag is passed over, another kind and other content are told', async () => {
    equal((await seal(make.makeSeal(agency.seal, { tags: [make.tag(0x77, Buffer.from('news'))] }))).verdict, 'genuine');
    equal((await seal(make.makeSeal(agency.seal, { kind: 0xfb06 }))).verdict, 'other');
    equal((await seal(Buffer.from('https://example.org/'))).verdict, 'other');
    equal((await seal(good.subarray(0, 100))).verdict, 'damaged');
    equal((await seal(make.makeSeal(agency.seal, { end: 'x' }))).verdict, 'damaged');
  });
  await check('a permit, a receipt of filing and a receipt', async () => {
    equal((await pdf(permit)).statement, make.permitOf());
    equal([(await pdf(permit)).verdict, (await pdf(permit)).list, (await pdf(permit, { list: revoked })).verdict], ['genuine', 'fresh', 'revoked']);
    equal((await pdf(filing)).verdict, 'genuine');
    equal((await pdf(make.makePdf(dir, agency.receipt, make.receiptOf()))).verdict, 'genuine');
    equal((await pdf(make.makePdf(dir, agency.permit))).verdict, 'plain');
  });
  await check('a receipt of filing knows its files', async () => {
    const { statement } = await pdf(filing);
    equal((await findFiled(statement, Uint8Array.from(files[1][2]))).name, '護照.pdf');
    equal(await findFiled(statement, Uint8Array.from(Buffer.from('three'))), undefined);
    const wrong = make.filingOf(files);
    wrong.data.days = 366;
    equal((await pdf(make.makePdf(dir, agency.receipt, wrong))).verdict, 'altered');
    equal(canonical({ b: [1, { d: null, c: '"é\n' }], a: true }), '{"a":true,"b":[1,{"c":"\\"é\\n","d":null}]}');
  });
  await check('a PDF: changed, longer, signed twice, saved again, without a signature', async () => {
    for (const at of [20, 150, permit.indexOf('NGUY'), permit.indexOf('/ByteRange') + 14, permit.lastIndexOf('/Contents') + 120, permit.length - 3]) {
      const bytes = Buffer.from(permit);
      bytes[at] ^= 1;
      const { verdict } = await pdf(bytes);
      if (verdict !== 'altered' && verdict !== 'unsigned') throw new Error(`byte ${at}: ${verdict}`);
    }
    equal((await pdf(Buffer.concat([permit, Buffer.from('\n')]))).verdict, 'altered');
    equal((await pdf(make.signAgain(dir, agency.permit, permit))).verdict, 'altered');
    equal((await pdf(permit.subarray(0, 200))).verdict, 'unsigned');
    writeFileSync(join(dir, 'permit.pdf'), permit);
    execFileSync('qpdf', ['--warning-exit-0', join(dir, 'permit.pdf'), join(dir, 'again.pdf')]);
    equal((await pdf(readFileSync(join(dir, 'again.pdf')))).verdict, 'altered');
  });
  await check('a PDF: a stranger, a key for another use, a signer who is not listed', async () => {
    equal((await pdf(make.makePdf(dir, stranger.permit, make.permitOf(), { certs: [stranger.root.certFile] }))).verdict, 'unknown');
    equal((await pdf(make.makePdf(dir, agency.receipt, make.permitOf()))).verdict, 'unknown');
    equal((await pdf(make.makePdf(dir, agency.seal, make.permitOf()))).verdict, 'unknown');
    const fewer = await readTrust(make.trustOf(agency, ['permit']));
    equal((await pdf(permit, { trust: fewer })).verdict, 'unknown');
    const other = await readTrust(make.trustOf({ ...agency, root: stranger.root }));
    equal([(await pdf(permit, { trust: other })).verdict, (await seal(good, { trust: other })).verdict], ['unknown', 'unknown']);
  });
  await check('a revocation list: altered, by a stranger, by a key for another use, by no key', async () => {
    const list = make.makeList(agency.permit, []), [head, body, mark] = list.split('.');
    const told = (text) => readRevocations(text, trust).then(() => 'taken', (error) => error.constructor.name);
    equal(await told(list), 'taken');
    equal(await told([head, Buffer.from(Buffer.from(body, 'base64url').toString().replace('[]', '[ ]')).toString('base64url'), mark].join('.')), 'Altered');
    equal(await told(make.makeList(stranger.permit, [])), 'Unknown');
    equal(await told(make.makeList(agency.receipt, [])), 'Unknown');
    equal(await told(make.makeList(agency.permit, [], now, 'none')), 'Error');
    equal(await told(make.makeList(agency.permit, [{ no: 'X', state: 'lost', since: '2026-01-01' }])), 'Error');
  });
  await check('a certificate cut at every byte is refused', () => {
    const whole = Uint8Array.from(agency.permit.cert.raw);
    equal(readCertificate(whole).serial, agency.permit.cert.serialNumber.replace(/^0+/, ''));
    for (let n = 0; n < whole.length; n++) fails(() => readCertificate(whole.subarray(0, n)), /./);
  });
  await check('a trust list with a false identifier is refused', async () => {
    const list = JSON.parse(make.trustOf(agency));
    list.signers[0].kid = list.signers[1].kid;
    equal(await readTrust(JSON.stringify(list)).then(() => 'taken', () => 'refused'), 'refused');
  });
}

export async function testParts(dir, agency, stranger) {
  await seals();
  await judged(dir, agency, stranger);
}

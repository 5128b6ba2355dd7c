// The page itself, opened from disk in a browser without a network: every kind of paper, good and bad, by file and by camera.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import * as make from './papers.mjs';
import { check, equal } from './count.mjs';
import { photograph, qr, square } from './photo.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SIZE_MAX = 800 * 1024;
const day = 864e5;

let browser, context, page, out, shots;
const asked = [], said = [];

const named = (name, buffer, mimeType = 'application/octet-stream') => ({ name, mimeType, buffer: Buffer.from(buffer) });

function filled(source, trust, list) {
  const safe = (text) => text.replaceAll('<', '\\u003c');
  return source.replace('@@FWPERMIT_TRUST@@', () => safe(trust)).replace('@@FWPERMIT_REVOCATIONS@@', () => JSON.stringify(list));
}

async function watch(one) {
  await one.setOffline(true);
  one.on('request', (request) => { if (!/^(file|data|blob):/.test(request.url())) asked.push(request.url()); });
  one.on('page', (p) => {
    p.on('console', (m) => { if (['error', 'warning'].includes(m.type())) said.push(m.text()); });
    p.on('pageerror', (e) => said.push(String(e)));
  });
}

async function open(name, { lang = 'en', now, from = context } = {}) {
  await page?.close();
  page = await from.newPage();
  if (now) await page.clock.setFixedTime(now);
  await page.goto(`file://${join(out, name)}`);
  await page.waitForSelector('html.ready');
  if ((await page.getAttribute('html', 'lang')) !== lang) await page.click('#language');
}

const settled = () => page.waitForFunction(() => !document.body.classList.contains('busy') && document.querySelector('#result > *'));

async function give(...files) {
  for (const file of files) {
    await page.evaluate(() => document.getElementById('result').replaceChildren());
    await page.setInputFiles('#file', file);
    await settled();
  }
}

const word = async () => (await page.$('#verdict')) && (await page.$eval('#verdict', (e) => e.lastChild.textContent));
const text = () => page.$eval('#result', (e) => e.innerText);
const note = () => page.$eval('#result .note', (e) => e.lastChild.textContent);

async function holds(...wanted) {
  const all = await text();
  for (const one of wanted) if (!all.includes(one)) throw new Error(`“${one}” is not on the page: ${all}`);
}

async function clean(name, width) {
  await page.setViewportSize({ width, height: 900 });
  await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
  const result = await page.evaluate(`${axe.source}; axe.run({ runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] })`);
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  equal([result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`), Math.max(0, wide)], [[], 0]);
}

// ---- what is tried ----

async function documents(dir, agency, stranger) {
  const files = [['photo', 'photo.jpg', Buffer.from('one')], ['passport', '護照.pdf', Buffer.from('two')]];
  const permit = make.makePdf(dir, agency.permit, make.permitOf()), flipped = Buffer.from(permit);
  flipped[permit.indexOf('NGUY')] ^= 1;
  const pdf = (bytes) => named('paper.pdf', bytes, 'application/pdf');
  await check('a permit: genuine and valid, with what it says', async () => {
    await open('page.html');
    equal((await page.$eval('#lists', (e) => e.innerText)).includes('In time'), true);
    await give(pdf(permit));
    equal(await word(), 'Genuine and valid');
    await holds('NGUYỄN VĂN ANH', 'EP1150000001', 'VNM Viet Nam', '1990-03-15', '2027-01-01', 'Residence permits', 'Compared with the revocation list');
    equal(await page.evaluate(() => document.activeElement.id), 'verdict');
  });
  await check('the other language, at once', async () => {
    await page.click('#language');
    equal([await word(), await page.getAttribute('html', 'lang')], ['真實且有效', 'zh-Hant']);
    await clean('permit', 1280);
    await clean('permit', 320);
  });
  for (const [name, bytes, wanted] of [
    ['one flipped byte', flipped, 'Altered'], ['appended bytes', Buffer.concat([permit, Buffer.from('%more\n')]), 'Altered'],
    ['two signatures', make.signAgain(dir, agency.permit, permit), 'Altered'], ['no signature', Buffer.from('%PDF-1.7\n%%EOF\n'), 'No signature'],
    ['a stranger’s', make.makePdf(dir, stranger.permit, make.permitOf(), { certs: [stranger.root.certFile] }), 'Unknown signer'],
    ['expired', make.makePdf(dir, agency.permit, make.permitOf({ ...make.person, from: '2020-01-01', to: '2021-01-01' })), 'Expired'],
    ['not yet valid', make.makePdf(dir, agency.permit, make.permitOf({ ...make.person, from: '2099-01-01', to: '2099-02-01' })), 'Not yet valid'],
    ['superseded', make.makePdf(dir, agency.permit, make.permitOf({ ...make.person, no: 'EP-OLD' })), 'Superseded'],
    ['revoked', make.makePdf(dir, agency.permit, make.permitOf({ ...make.person, no: 'EP-OFF' })), 'Revoked'],
    ['without a statement', make.makePdf(dir, agency.permit), 'Signed by the agency'],
  ]) await check(`a PDF: ${name}`, async () => {
    if (name === 'one flipped byte') await open('page.html');
    await give(pdf(bytes));
    equal(await word(), wanted);
  });
  await check('revoked, superseded: since when', async () => {
    await give(pdf(make.makePdf(dir, agency.permit, make.permitOf({ ...make.person, no: 'EP-OFF' }))));
    await holds('revoked on 2026-11-02');
    await clean('revoked', 1280);
  });
  await check('a receipt of filing, and its attachments', async () => {
    await give(pdf(make.makePdf(dir, agency.receipt, make.filingOf(files))));
    equal(await word(), 'Genuine');
    await holds('RC1150000001', '26 Nov 2026'.slice(3), '護照.pdf');
    for (const [bytes, wanted] of [['two', 'It matches'], ['three', 'No match']]) {
      await page.setInputFiles('#attachment', named('mine.bin', bytes));
      await page.waitForFunction((w) => document.querySelector('.attach__said').textContent.includes(w), wanted);
    }
    await clean('filing', 1280);
    await clean('filing', 320);
  });
  await check('a receipt', async () => {
    await give(pdf(make.makePdf(dir, agency.receipt, make.receiptOf())));
    equal(await word(), 'Genuine');
    await holds('NT$ 1000', 'R1150000001');
  });
  await check('nothing, junk, and text', async () => {
    await give(named('nothing.pdf', ''));
    await holds('This file is empty');
    const junk = Buffer.alloc(20 * 1024 * 1024, 'junk');
    await give(named('junk.jpg', junk));
    equal(await word(), 'This file cannot be read');
    await give(pdf(Buffer.concat([Buffer.from('%PDF-1.7\n'), junk])));
    equal(await word(), 'No signature');
    await give(named('x.json', '{"format":1}'));
    equal(await note(), 'This page has a trust list, and a file does not replace it. For a newer one fetch the page anew from the agency’s site.');
  });
}

async function seals(agency, stranger, program) {
  const code = await qr('https://permit.example/verify?no=EP1150000001&code=0123456789ABCDEF');
  const camera = await browser.newContext();
  const shoot = async (bytes, how) => named('photo.jpg', await photograph(camera, square(program, bytes), code, how), 'image/jpeg');
  const good = make.makeSeal(agency.seal);
  await check('a seal, from a photo of the whole page', async () => {
    await open('page.html');
    await give(await shoot(good, { width: 2400, rotate: 4, tilt: 12, noise: 14 }));
    equal(await word(), 'Genuine and valid');
    await holds('NGUYEN, VAN ANH', 'EP1150000001', 'ARTWNNGUYEN<<VAN<ANH', 'A seal can be copied'.slice(2));
    await clean('seal', 1280);
    await clean('seal', 320);
  });
  for (const [name, how] of Object.entries({
    'turned and tilted': { rotate: 37, tilt: 30 }, 'upside down': { rotate: 178 }, blurred: { blur: 2.5, rotate: 3 }, 'dark and uneven': { dark: 0.4, shade: true, rotate: 3 },
    'noisy and much compressed': { noise: 36, quality: 0.35 }, 'all of it': { rotate: 14, tilt: 20, blur: 1.4, noise: 24, shade: true, quality: 0.5 },
  })) await check(`a seal, from a near photo: ${name}`, async () => {
    await give(await shoot(good, { width: 1000, near: true, ...how }));
    equal(await word(), 'Genuine and valid');
  });
  const flipped = Buffer.from(good);
  flipped[24] ^= 1;
  for (const [name, bytes, wanted] of [
    ['altered', flipped, 'Altered'], ['cut short', good.subarray(0, 90), 'Damaged seal'], ['appended', make.makeSeal(agency.seal, { end: 'more' }), 'Damaged seal'],
    ['an unknown tag', make.makeSeal(agency.seal, { tags: [make.tag(0x66, Buffer.from('later'))] }), 'Genuine and valid'],
    ['a stranger’s', make.makeSeal(stranger.seal), 'Unknown signer'], ['other content', Buffer.from('PRODUCT 12345'), 'Not a permit’s seal'],
    ['expired', make.makeSeal(agency.seal, { p: { ...make.person, from: '2020-01-01', to: '2021-01-01' } }), 'Expired'],
    ['revoked', make.makeSeal(agency.seal, { p: { ...make.person, no: 'EPOFF' } }), 'Revoked'],
  ]) await check(`a seal: ${name}`, async () => {
    await give(await shoot(bytes, { width: 800, near: true }));
    equal(await word(), wanted);
  });
  await check('the QR code beside it, and a picture without either', async () => {
    await give(named('qr.jpg', await photograph(camera, { width: 1, height: 1, dots: [255] }, code, { width: 1200 }), 'image/jpeg'));
    equal(await word(), 'This is the on-line code');
    await give(named('none.jpg', await photograph(camera, { width: 1, height: 1, dots: [255] }, '', { width: 800 }), 'image/jpeg'));
    equal(await word(), 'No seal to be read');
    await holds('Let the square fill a third of the picture');
    await clean('unreadable', 320);
  });
  await camera.close();
}

async function lists(agency, stranger) {
  const entries = [{ no: make.person.no, state: 'revoked', since: '2026-11-24' }];
  const list = (key, permits, issued) => named('revocations.jws', make.makeList(key, permits, issued));
  const permit = named('permit.pdf', make.makePdf(join(out, 'ours'), agency.permit, make.permitOf()), 'application/pdf');
  await check('a list too old warns, a newer one by file is taken, the paper judged anew', async () => {
    await open('page.html', { now: Date.now() + 3 * day });
    await give(permit);
    await holds('Genuine and valid', 'past its next update');
    await clean('old', 320);
    await give(list(agency.permit, entries, Date.now() + 2.5 * day));
    await holds('The newer revocation list is now used', 'Revoked', 'revoked on 2026-11-24');
    await give(list(agency.permit, [], Date.now() + 2 * day));
    await holds('is not newer', 'Revoked');
  });
  await check('a list that was altered, or has another signer, is not taken', async () => {
    const text1 = make.makeList(agency.permit, entries, Date.now() + 2.6 * day);
    await give(named('a.jws', text1.slice(0, -10) + (text1.at(-10) === 'A' ? 'B' : 'A') + text1.slice(-9)));
    await holds('was altered');
    await give(list(stranger.permit, [], Date.now() + 2.6 * day));
    await holds('unknown signer', 'Revoked');
  });
  await check('a clock that is behind is told', async () => {
    await open('page.html', { now: Date.now() - 30 * day });
    await give(permit);
    await holds('Check its date and time');
  });
  await check('a page without its lists says so, and takes them by file', async () => {
    await open('bare.html');
    equal(await page.isVisible('#untrusted'), true);
    await clean('bare', 320);
    await give(permit);
    equal([await note(), await word()], ['A trust list is needed first.', null]);
    await page.setInputFiles('#file', named('trust.json', make.trustOf(agency)));
    await page.waitForSelector('#untrusted', { state: 'hidden' });
    await give(permit);
    await holds('Genuine and valid', 'There is no revocation list');
    equal((await page.$eval('#lists', (e) => e.innerText)).includes('loaded from a file'), true);
    await give(list(agency.permit, entries));
    await holds('Revoked');
  });
}

async function saved(dir, agency) {
  const permit = named('permit.pdf', make.makePdf(dir, agency.permit, make.permitOf()), 'application/pdf');
  await check('the copy that a browser saves of the page in use works, and remembers nobody', async () => {
    await open('page.html');
    await give(permit);
    writeFileSync(join(out, 'saved.html'), await page.content());
    await open('saved.html');
    equal([await word(), await page.isVisible('#viewer')], [null, false]);
    await give(permit);
    equal(await word(), 'Genuine and valid');
  });
}

// A video that shows one picture, which the browser takes for its camera.
async function cameraVideo(bytes, program) {
  const taking = await browser.newContext();
  const jpeg = await photograph(taking, square(program, bytes), '', { width: 720, near: true, rotate: 8, tilt: 14 });
  await taking.close();
  writeFileSync(join(out, 'camera.mjpeg'), Buffer.concat([jpeg, jpeg]));
  return join(out, 'camera.mjpeg');
}

async function camera(agency, program) {
  const video = await cameraVideo(make.makeSeal(agency.seal), program);
  const seeing = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${video}`],
  });
  await check('a seal, by camera and keyboard alone', async () => {
    const own = await seeing.newContext();
    await watch(own);
    await open('page.html', { from: own });
    await page.focus('#camera');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#verdict');
    equal([await word(), await page.isVisible('#viewer'), await page.isVisible('#camera')], ['Genuine and valid', false, true]);
  });
  await seeing.close();
  page = undefined;
}

function weigh(html) {
  const packed = gzipSync(html, { level: 9 }).length;
  console.log(`verify.html: ${html.length} bytes, ${packed} packed`);
  if (html.length > SIZE_MAX) throw new Error('it is too heavy');
  if (/https?:\/\//.test(html)) throw new Error('it names a host');
}

export async function testPage(folder, agency, stranger, program) {
  out = folder;
  shots = join(process.env.B ?? 'build', 'shots/verify');
  mkdirSync(shots, { recursive: true });
  const source = readFileSync(join(process.env.B ?? 'build', 'assets/verify.html'), 'utf8');
  await check('one file, of a fair size, that names no host', () => weigh(source));
  const ended = [{ no: 'EP-OFF', state: 'revoked', since: '2026-11-02' }, { no: 'EP-OLD', state: 'superseded', since: '2026-11-03' }, { no: 'EPOFF', state: 'revoked', since: '2026-11-02' }];
  writeFileSync(join(out, 'page.html'), filled(source, make.trustOf(agency), make.makeList(agency.permit, ended)));
  writeFileSync(join(out, 'bare.html'), source);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await watch(context);
  await documents(join(out, 'ours'), agency, stranger);
  await seals(agency, stranger, program);
  await lists(agency, stranger);
  await saved(join(out, 'ours'), agency);
  await page?.close();
  page = undefined;
  await camera(agency, program);
  await check('nothing was asked of any host, and the browser had nothing to say', () => equal([asked, said], [[], []]));
  await browser.close();
}

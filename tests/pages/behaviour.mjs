// What the scripts do, against answers that this file makes up.
import { serve } from './serve.mjs';

const jpeg = (page, width, height) => page.evaluate(async ([w, h]) => {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext('2d');
  context.fillStyle = '#cde';
  context.fillRect(0, 0, w, h);
  return canvas.toDataURL('image/jpeg').split(',')[1];
}, [width, height]);

const saved = (version, more = {}) =>
  ({ status: 200, json: { verdict: 'done', case: { version }, problems: [], missing_n: 1, filled: null, ...more } });

const stories = {
  async 'a change is saved by itself, alone, and the version goes on'(t) {
    t.answer = (r) => r.url === '/cases/4100/edit' && saved(8);
    await t.open('case_edit.en');
    await t.page.fill('#f-name_zh', '阮氏梅香');
    await t.page.locator('#f-name_zh').blur();
    await t.page.waitForSelector('.saved:has-text("Saved")');
    const [first] = t.asked;
    t.same(first.json, { name_zh: '阮氏梅香', version: '7' });
    t.same(first.headers['x-csrf-token'], 'c'.repeat(43));
    t.same(/^[A-Za-z0-9_-]{1,64}$/.test(first.headers['idempotency-key']), true);
    await t.page.fill('#f-phone', '0987654321');
    await t.page.waitForResponse((r) => r.request().method() === 'POST');
    t.same(t.asked[1].json, { phone: '0987654321', version: '8' });
  },
  async 'what an answer calls for is shown'(t) {
    t.answer = () => saved(8);
    await t.open('case_edit.en');
    t.same(await t.page.isVisible('#f-ui_no'), false);
    await t.page.check('#f-has_ui_no-yes');
    t.same(await t.page.isVisible('#f-ui_no'), true);
  },
  async 'a date may be typed as eight digits'(t) {
    t.answer = () => saved(8);
    await t.open('case_edit.en');
    await t.page.fill('#f-birth', '19900705');
    await t.page.locator('#f-birth').blur();
    t.same(await t.page.inputValue('#f-birth'), '1990-07-05');
    await t.page.waitForSelector('.saved:has-text("Saved")');
    t.same(t.asked[0].json.birth, '1990-07-05');
  },
  async 'the answer about a letter is awaited, and fills in what is empty once'(t) {
    const letter = (code, fills = null) => ({
      letter_no: 'L1', field: 'permit_letter', state: { code, tone: 'blue', label: code }, text: `It is ${code}.`,
      waits: code === 'asked', can_ask: false, fills, href: '/cases/4100/letter', link: null });
    t.answer = (r) => {
      if (r.url === '/cases/4100/letter.json') return { status: 200, json: { letter: letter('found', 1) } };
      if (r.json._fill) return saved(9, { filled: { contract_to: '2029-01-31' }, letter: letter('found') });
      return saved(8, { letter: letter(t.asked.length === 1 ? 'asked' : 'found', t.asked.length === 1 ? null : 1) });
    };
    await t.open('case_edit.new.en');
    await t.page.fill('#f-permit_letter', '勞動發事字第1150012345號');
    await t.page.locator('#f-permit_letter').blur();
    await t.page.waitForSelector('[data-letter-said]:has-text("It is asked.")');
    await t.page.waitForSelector('[data-letter-said]:has-text("It is found.")');
    await t.page.waitForFunction(() => document.getElementById('f-contract_to').value === '2029-01-31');
    t.same(t.asked[1].json, { _fill: '1', version: '8' });
    await t.page.fill('#f-contract_to', '');
    await t.page.locator('#f-contract_to').blur();
    await t.page.waitForResponse((r) => r.request().method() === 'POST' && r.request().postDataJSON().contract_to === '');
    await t.page.fill('#f-visa_no', 'V1');
    await t.page.locator('#f-visa_no').blur();
    await t.page.waitForResponse((r) => r.request().method() === 'POST' && 'visa_no' in r.request().postDataJSON());
    t.same(t.asked.filter((r) => r.json._fill).length, 1);
    t.same(await t.page.inputValue('#f-contract_to'), '');
  },
  async "the passport's lines fill in the form"(t) {
    t.answer = (r) => (r.url === '/mrz'
      ? { status: 200, json: { fields: { name_latin: 'TRAN VAN BINH', passport_no: 'C9021145' }, failed: [], problems: [] } }
      : saved(8));
    await t.open('case_edit.new.en');
    await t.page.fill('#f-mrz', `${'P<VNMTRAN<<VAN<BINH'.padEnd(44, '<')}\n${'C9021145<8VNM9001011M3001019'.padEnd(44, '<')}`);
    await t.page.waitForSelector('[data-mrz-said] .same');
    t.same(await t.page.inputValue('#f-name_latin'), 'TRAN VAN BINH');
    await t.page.waitForSelector('.saved:has-text("Saved")');
    t.same(t.asked.at(-1).json.passport_no, 'C9021145');
  },
  async 'what is wrong with a field is said beside it, once it was touched'(t) {
    const problems = [{ field: 'email', reason: 'No address.' }, { field: 'visa_no', reason: 'Please fill this in.' }];
    t.answer = () => saved(8, { problems });
    await t.open('case_edit.en');
    await t.page.fill('#f-email', 'x');
    await t.page.locator('#f-email').blur();
    await t.page.waitForSelector('#f-email-error');
    t.same(await t.page.getAttribute('#f-email', 'aria-invalid'), 'true');
    t.same((await t.page.getAttribute('#f-email', 'aria-describedby')).includes('f-email-error'), true);
    t.same(await t.page.locator('#f-visa_no-error').count(), 0);
    problems.shift();
    await t.page.fill('#f-email', 'x@example.com');
    await t.page.waitForSelector('#f-email-error', { state: 'detached' });
  },
  async 'a session that ended: the whole form goes to the server'(t) {
    t.answer = (r) => (r.headers.accept === 'application/json' ? { status: 401 } : { status: 200, json: {} });
    await t.open('case_edit.en');
    await t.page.fill('#f-name_zh', '阮氏梅香');
    await t.page.waitForURL('**/cases/4100/edit');
    const form = new URLSearchParams(t.asked.at(-1).body);
    t.same(form.get('name_latin'), 'NGUYEN THI MAI HUONG');
    t.same(form.get('_go'), 'stay');
    t.same(form.get('version'), '7');
  },
  async 'a token that is old is renewed and the save repeated'(t) {
    let fresh = false;
    t.answer = (r) => {
      if (r.url === '/session.json') return { status: 200, json: { csrf: 'd'.repeat(43) } };
      fresh = r.headers['x-csrf-token'].startsWith('d');
      return fresh ? saved(8) : { status: 403 };
    };
    await t.open('case_edit.en');
    await t.page.fill('#f-name_zh', '阮');
    await t.page.waitForSelector('.saved:has-text("Saved")');
    t.same(fresh, true);
  },
  async 'a case that changed elsewhere: nothing is overwritten'(t) {
    t.answer = (r) => (r.headers.accept === 'application/json' ? { status: 409 } : { status: 200, json: {} });
    await t.open('case_edit.en');
    await t.page.fill('#f-name_zh', '阮');
    await t.page.click('.saved--bad button');
    await t.page.waitForURL('**/cases/4100/edit');
    t.same(t.asked.filter((a) => a.json).length, 1);
  },
  async 'a save that got no answer is tried again'(t) {
    let n = 0;
    t.answer = () => (n++ ? saved(8) : { status: 503 });
    await t.open('case_edit.en');
    await t.page.fill('#f-name_zh', '阮');
    await t.page.waitForSelector('.saved--bad');
    await t.page.waitForSelector('.saved:not(.saved--bad):has-text("Saved")');
    t.same(t.asked.at(-1).json.name_zh, '阮');
  },
  async 'a file is sent and listed'(t) {
    t.answer = (r) => r.url === '/cases/4100/files/health_certificate' && {
      status: 200, json: { verdict: 'done', version: 9, missing_n: 0, file: { id: '8', name: 'a.pdf', size: '1 KB', href: '/cases/4100/files/8', remove: '/cases/4100/files/8/remove', is_image: false } } };
    await t.open('case_edit.en');
    await t.page.setInputFiles('#f-health_certificate', { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') });
    await t.page.waitForSelector('[data-file="8"]');
    t.same(t.asked[0].body.includes('name="file"; filename="a.pdf"'), true);
    t.same(await t.page.inputValue('#edit [name="version"]'), '9');
  },
  async 'a file that is too large is not sent'(t) {
    await t.open('case_edit.en');
    await t.page.setInputFiles('#f-health_certificate', { name: 'a.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(5242881) });
    await t.page.waitForSelector('.upload__bad');
    t.same(t.asked.length, 0);
  },
  async 'a photo is cropped to 35 by 45, and once more when it was refused'(t) {
    await t.open('case_edit.en');
    const preview = await jpeg(t.page, 700, 900);
    t.answer = (r) => r.url === '/cases/4100/files/photo' && { status: 422, json: { errors: [{ field: 'photo', reason: 'Too dark: 41 of 75.' }], preview } };
    const photo = { name: 'me.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(await jpeg(t.page, 1400, 1100), 'base64') };
    await t.page.setInputFiles('#f-photo', photo);
    await t.page.waitForSelector('#crop[open] cropper-selection');
    await t.page.locator('#crop [data-crop-act="in"]').click();
    await t.page.locator('#crop [data-crop-act="use"]').click();
    await t.page.waitForSelector('.upload__bad:has-text("Too dark: 41 of 75.")');
    const sent = Buffer.from(t.asked[0].body, 'latin1');
    const [width, height] = sizeOfJpeg(sent.subarray(sent.indexOf(Buffer.from([0xff, 0xd8, 0xff]))));
    t.same(Math.abs(width / height - 35 / 45) < 0.005, true);
    await t.page.locator('.upload__preview button').click();
    await t.page.waitForSelector('#crop[open] cropper-selection');
    await t.page.keyboard.press('Escape');
    await t.page.waitForSelector('#crop:not([open])', { state: 'attached' });
  },
  async 'keys decide, after a question, and bring the next case'(t) {
    t.answer = (r) => r.url === '/review/4101/approve' && { status: 200, json: { verdict: 'done' } };
    await t.open('review.en');
    await t.page.keyboard.press('a');
    await t.page.waitForSelector('#ask[open]');
    await t.page.keyboard.press('Escape');
    t.same(t.asked.length, 0);
    await t.page.keyboard.press('a');
    await t.page.waitForSelector('#ask[open]');
    await t.page.keyboard.press('Enter');
    await t.page.waitForURL('**/review/4102');
    t.same(t.asked[0].json, { version: '7' });
  },
  async 'keys are letters while one types, and can be switched off'(t) {
    await t.open('review.en');
    await t.page.locator('[data-fact="photo"] [data-mark]').focus();
    await t.page.keyboard.press('a');
    t.same(await t.page.locator('#ask[open]').count(), 0);
    await t.page.locator('[data-fact="photo"] [data-mark]').blur();
    await t.page.keyboard.press('?');
    await t.page.uncheck('[data-keys-on]');
    await t.page.keyboard.press('a');
    t.same(await t.page.locator('#ask[open]').count(), 0);
  },
  async 'only what is marked is returned'(t) {
    t.answer = (r) => r.url === '/review/4101/return' && { status: 200, json: { verdict: 'done' } };
    await t.open('review.en');
    await t.page.fill('[data-fact="photo"] [data-mark]', '');
    await t.page.keyboard.press('Tab');
    await t.page.locator('[data-key="r"]').click();
    await t.page.waitForSelector('.decide__said:has-text("Mark at least one")');
    await t.page.fill('[data-fact="photo"] [data-mark]', 'Shadow.');
    await t.page.locator('[data-key="r"]').click();
    await t.page.locator('[data-ask="yes"]').click();
    await t.page.waitForURL('**/review/4102');
    t.same(t.asked[0].json, { 'mark.photo': 'Shadow.', version: '7' });
  },
  async 'documents are tabs, and grow'(t) {
    await t.open('review.en');
    await t.page.keyboard.press('j');
    t.same(await t.page.locator('[data-doc]:visible').getAttribute('data-slot'), 'passport_page');
    const width = () => t.page.locator('[data-doc]:visible img').evaluate((i) => i.clientWidth);
    const before = await width();
    await t.page.keyboard.press('+');
    t.same(await width() > before, true);
  },
  async 'a refusal stands on the screen'(t) {
    t.answer = (r) => r.url.startsWith('/review/') && { status: 409, json: { detail: 'Four eyes.', errors: [] } };
    await t.open('review.en');
    await t.page.keyboard.press('a');
    await t.page.locator('[data-ask="yes"]').click();
    await t.page.waitForSelector('.decide__said:has-text("Four eyes.")');
  },
  async 'a payment page looks until something changed'(t) {
    let n = 0;
    t.answer = (r) => r.url === '/payments/9.json' && { status: 200, json: { state: { code: n++ ? 'begun' : 'wanted' } } };
    await t.open('payment.waiting.en');
    await t.page.waitForNavigation();
    t.same(n, 2);
  },
  async 'a form is sent once'(t) {
    await t.open('pay.en');
    await t.page.route('**/payments', () => {}); // no answer comes
    let n = 0;
    t.page.on('request', (r) => { n += r.method() === 'POST'; });
    await t.page.evaluate(() => {
      const button = document.querySelector('form[action="/payments"] button');
      button.click();
      button.click();
    });
    await t.page.waitForRequest('**/payments').catch(() => {});
    t.same(n, 1);
  },
  async 'a password can be seen'(t) {
    await t.open('login.en');
    await t.page.fill('#f-password', 'secret');
    await t.page.click('[data-pw]');
    t.same(await t.page.getAttribute('#f-password', 'type'), 'text');
  },
};

function sizeOfJpeg(bytes) {
  for (let at = 2; at < bytes.length;) {
    if (bytes[at + 1] >= 0xc0 && bytes[at + 1] <= 0xc2) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return [0, 0];
}

async function tell(browser, build, story) {
  const t = { answer: () => null, asked: [], wrong: [] };
  const site = await serve(build, (request, body) => {
    const { url, headers, method } = request;
    const asked = { url, headers, body };
    if (headers['content-type'] === 'application/json') asked.json = JSON.parse(Buffer.from(body, 'latin1').toString('utf8'));
    if (method !== 'POST' && !url.endsWith('.json')) return null;
    if (method === 'POST') t.asked.push(asked);
    return t.answer(asked);
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  t.page = await context.newPage();
  t.page.setDefaultTimeout(30000);
  t.page.on('pageerror', (e) => t.wrong.push(String(e)));
  t.open = async (name) => {
    await t.page.goto(`${site.base}/${name}`);
    await t.page.waitForSelector('html.ready');
  };
  t.same = (is, wanted) => {
    if (JSON.stringify(is) !== JSON.stringify(wanted)) t.wrong.push(`${JSON.stringify(is)} instead of ${JSON.stringify(wanted)}`);
  };
  await story(t).catch((e) => t.wrong.push(String(e)));
  await context.close();
  site.close();
  return t.wrong;
}

export async function behaviour(browser, build, check) {
  for (const [name, story] of Object.entries(stories)) check(name, await tell(browser, build, story));
}

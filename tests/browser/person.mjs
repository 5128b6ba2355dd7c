// The seven steps as people walk them: a broker, two reviewers, and somebody with a permit in the hand.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { base, ctl, gateway, holds, narrow, out, person, same, shots, until, walk, wide } from './lib.mjs';
import { answers, birth, darkPhoto, expiry, mrz, phonePhoto, portrait, printPapers, workers } from './papers.mjs';
import { world } from './world.mjs';

const who = workers.mai;
const pdfHead = (path) => same(readFileSync(path).subarray(0, 5).toString(), '%PDF-', path);
let broker, first, second, papers, caseUrl, caseNo, verifyUrl;

const saved = (p) => until('the form to be saved', async () =>
  (await p.text('[data-saved]')).includes('已') && !(await p.page.locator('.saved--bad').count()));

async function values(p, names) {
  return Object.fromEntries(await Promise.all(names.map(async (n) => {
    const radio = p.page.locator(`input[name="${n}"]:checked`);
    return [n, await radio.count() ? await radio.getAttribute('value') : await p.page.locator(`#f-${n}`).inputValue()];
  })));
}

// ---- 1: log in, register ----

async function logIn() {
  broker = await person(null);
  await broker.open('/');
  await broker.see('start', { both: true });
  await broker.open('/login');
  await broker.see('login', { both: true });
  await broker.picture('login');
  await broker.type({ login: 'broker', password: 'not this one' });
  await broker.go('main form button:not([type="button"])');
  await broker.see('login-wrong', { both: true });
  await broker.page.locator('button.demo__login', { hasText: /^broker$/ }).click();
  same(await broker.page.locator('#f-login').inputValue(), 'broker');
  await broker.go('main form button:not([type="button"])');
  same(new URL(broker.page.url()).pathname, '/cases');
  await broker.see('cases-empty', { both: true });
  papers = await printPapers(await (await person(null)).page, 'mai');
}

async function register() {
  await broker.go('.titlebar a');
  await broker.see('workers-empty', { both: true });
  await broker.go('.titlebar a');
  await broker.see('worker-new', { both: true });
  await broker.go('#edit .actions button');
  await broker.see('worker-new-errors', { both: true });
  const lines = mrz(who);
  await broker.page.locator('#f-mrz').fill(lines.replace(/(C4402217<)(\d)/, (_, no, d) => no + (Number(d) + 1) % 10));
  await until('the wrong check digit to be told', () => broker.page.locator('[data-mrz-said] .upload__bad').count());
  await broker.see('worker-mrz-wrong');
  await broker.page.locator('#f-mrz').fill(lines);
  await until('the lines to be read', () => broker.page.locator('[data-mrz-said] .same').count());
  same(await values(broker, ['name_latin', 'passport_no', 'nationality', 'sex', 'birth', 'passport_expiry']), {
    name_latin: `${who.surname} ${who.given}`, passport_no: who.number, nationality: 'VNM', sex: who.sex, birth: birth(who), passport_expiry: expiry(who),
  }, 'what the lines say');
  await broker.see('worker-filled');
  const employer = await broker.page.locator('#f-employer option', { hasText: '宏遠' }).getAttribute('value');
  await broker.type({ employer, name_native: 'Nguyễn Thị Mai Hưong', permit_letter: answers().permit_letter });
  await broker.go('#edit .actions button');
  await broker.see('worker', { both: true });
  holds((await broker.text('.notice')).length > 0, 'no word that the worker is kept');
}

// ---- 2: fill in, upload, submit ----

async function fillIn() {
  await broker.go('.offer__row button');
  await broker.see('edit', { both: true });
  caseUrl = broker.page.url().replace(/\/edit.*/, '').replace(base, '');
  const fields = answers();
  await broker.type({ ...fields, name_zh: who.zh, contract_to: '2020-01-01' });
  await broker.page.locator('#f-work_address').blur();
  await until('the wrong date to be told', () => broker.page.locator('#f-contract_to-error').count());
  await broker.see('edit-wrong', { both: true });
  await broker.type({ contract_to: fields.contract_to });
  await broker.page.locator('#f-contract_to').blur();
  await until('the wrong date to be mended', async () => !(await broker.page.locator('#f-contract_to-error').count()));
}

async function closeAndOpen() {
  const fields = { ...answers(), name_zh: '阮氏' };
  await broker.type({ name_zh: '阮氏' });
  await saved(broker);
  await until('the last word to be sent', async () => (await (await fetchCase()).name_zh) === '阮氏');
  await broker.page.close();
  await broker.tab(`${caseUrl}/edit`);
  same(await values(broker, Object.keys(fields)), fields, 'after the tab was closed and opened again');
  // Typed and closed at once: what was typed goes along.
  await broker.type({ name_zh: who.zh });
  await broker.page.close({ runBeforeUnload: true });
  await broker.tab();
  await until('what was typed last', async () => (await fetchCase()).name_zh === who.zh);
  await broker.open(`${caseUrl}/edit`);
  same(await values(broker, ['name_zh']), { name_zh: who.zh });
  await broker.picture('form-phone', { width: 390, height: 844 });
}

async function fetchCase() {
  const answer = await broker.context.request.get(`${base}${caseUrl}/edit.json`);
  const { form } = await answer.json();
  return Object.fromEntries(form.sections.flatMap((s) => s.fields).map((f) => [f.name, f.value]));
}

async function photo() {
  const input = broker.page.locator('#f-photo');
  await input.setInputFiles(darkPhoto('mai'));
  await broker.page.locator('dialog#crop[open] cropper-selection').waitFor();
  await broker.page.locator('[data-crop-act="whole"]').click();
  await until('the dark wall to be told', () => broker.page.locator('[data-field="photo"] .upload__bad').count());
  await broker.page.locator('[data-field="photo"]').scrollIntoViewIfNeeded();
  await broker.see('photo-refused');
  await broker.page.setViewportSize(narrow);
  await input.setInputFiles(phonePhoto('mai'));
  await broker.page.locator('dialog#crop[open] cropper-selection').waitFor();
  await broker.page.screenshot({ path: join(shots, 'crop-phone.320.png') });
  await broker.page.locator('[data-crop-act="cancel"]').click();
  await broker.page.setViewportSize(wide);
  await input.setInputFiles(phonePhoto('mai'));
  await broker.page.locator('dialog#crop[open] cropper-selection').waitFor();
  await broker.see('crop');
  await broker.picture('crop', { top: false });
  for (const act of ['in', 'turn', 'turn', 'turn', 'turn', 'out']) await broker.page.locator(`[data-crop-act="${act}"]`).click();
  await broker.page.locator('[data-crop-act="use"]').click();
  await until('the photo to be taken', () => broker.page.locator('[data-field="photo"] [data-files] img').count(), 30);
  same(await broker.page.locator('dialog#crop[open]').count(), 0, 'the dialog');
}

async function upload() {
  await broker.page.evaluate(() => {
    window.progress = [];
    new MutationObserver(() => {
      const bar = document.querySelector('[data-said] progress');
      if (bar) (window.bar = bar).isConnected && window.progress.push(bar.value);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['value'] });
  });
  const line = await broker.context.newCDPSession(broker.page);
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 5, downloadThroughput: -1, uploadThroughput: 60000 });
  await broker.page.locator('#f-passport_page').setInputFiles(papers.passport);
  await until('the passport page', () => broker.page.locator('[data-field="passport_page"] [data-files] li').count(), 30);
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  const seen = await broker.page.evaluate(() => [window.progress.length, window.bar?.value]);
  holds(seen[0] > 0 && seen[1] > 0, `progress was shown: ${seen}`);
}

async function missing() {
  await broker.go('#edit button[value="check"]');
  await broker.see('check-missing', { both: true });
  const list = await broker.text('section.todo');
  holds(/在職證明/.test(list) && /聲明|均屬實/.test(list), `what is missing: ${list}`);
  await broker.go('section.todo .marks a');
  await broker.page.locator('#f-employment_proof').setInputFiles(papers.letter);
  await until('the letter', () => broker.page.locator('[data-field="employment_proof"] [data-files] li').count(), 30);
  await broker.type({ declare: true });
  await saved(broker);
  await broker.picture('form');
  await broker.go('#edit button[value="check"]');
  await broker.see('check-ready', { both: true });
}

async function submit() {
  await broker.go('form[data-once] button');
  await broker.see('case-filed', { both: true });
  caseNo = (await broker.text('.casehead__sub .code')).trim();
  holds(/^\d{10}$/.test(caseNo), `a case number: ${caseNo}`);
  await until('the receipt of filing', async () => {
    await broker.page.reload();
    return broker.page.locator('a.docs__link').count();
  });
  pdfHead(await broker.get('a.docs__link', 'filing.pdf'));
}

// ---- 3: review ----

async function reviewers() {
  const [one, two] = [await person('reviewer1'), await person('reviewer2')];
  const mine = (p) => p.page.locator('a.rowlink', { hasText: who.surname }).count();
  [first, second] = await mine(one) ? [one, two] : [two, one];
  holds(await mine(first) && !(await mine(second)), 'the case is on one desk');
  await first.see('desk', { both: true });
  await second.see('desk-empty', { both: true });
}

async function openReview() {
  await first.go('a.rowlink');
  await until('the documents', () => first.page.evaluate(() => [...document.querySelectorAll('.doc:not([hidden]) img')].every((i) => i.naturalWidth)));
  await first.see('review', { both: true });
  await first.page.locator('details.keys').waitFor();
  await first.page.keyboard.press('j');
  await until('the passport page', () => first.page.evaluate(() => {
    const i = document.querySelector('.doc:not([hidden]) img');
    return i?.complete && i.naturalWidth > 0;
  }));
  await first.picture('review');
}

async function correct() {
  const fact = first.page.locator('[data-fact="name_native"]');
  await fact.locator('[data-do="correct"] summary').click();
  await first.see('review-correct');
  await fact.locator('input[name="name_native"]').fill(who.native);
  await first.go('[data-fact="name_native"] form button');
  holds((await first.text('[data-fact="name_native"]')).includes('Hưong'), 'what stood there before');
  await first.see('review-corrected');
}

async function giveBack() {
  await first.page.locator('details.keys').waitFor();
  await first.page.keyboard.press('r');
  await until('that a mark is needed', async () => (await first.text('[data-decide-said]')).length > 0);
  await first.see('review-no-mark');
  const names = await first.page.locator('[data-viewer-tabs] button').allInnerTexts();
  await first.page.locator('[data-viewer-tabs] button').nth(names.findIndex((n) => n.includes('照片'))).click();
  await first.page.locator('h1').click();
  await first.page.keyboard.press('m');
  await first.page.keyboard.type('眼睛未張開，請重新拍攝。');
  await first.see('review-marked');
  await first.page.keyboard.press('Tab');
  await first.page.locator('h1').click();
  await first.page.keyboard.press('r');
  await first.page.locator('dialog#ask[open]').waitFor();
  await first.see('review-ask');
  const navigated = first.page.waitForNavigation();
  await first.page.keyboard.press('Enter');
  await navigated;
}

async function mail() {
  const reader = await person(null);
  await until('the mail', async () => {
    await reader.open(`${gateway}/mails`);
    return (await reader.text('main')).includes(caseNo);
  });
  await reader.page.locator('main li a', { hasText: caseNo }).first().click();
  const text = await reader.text('main');
  holds(text.includes('broker@demo.example') && text.includes(caseNo), `the mail: ${text}`);
  holds(text.includes('眼睛未張開') || text.includes(`${caseUrl}`), `the mail says what to do: ${text}`);
}

async function mend() {
  await broker.open('/cases?state=returned');
  await broker.see('cases-returned', { both: true });
  await broker.go('a.line__link');
  await broker.see('case-returned', { both: true });
  holds((await broker.text()).includes('眼睛未張開'), 'the reason stands on the case');
  await broker.go('section.todo a.govuk-button');
  await broker.see('edit-returned', { both: true });
  const open = await broker.page.locator('#edit [data-field]:not(.field--locked)').evaluateAll((all) => all.map((e) => e.dataset.field));
  same(open, ['photo'], 'what may be mended');
  await broker.page.locator('#f-photo').setInputFiles(portrait('mai-again', { portrait: who.portrait.replace('seed=1', 'seed=21') }, 'w=620 h=797'));
  await broker.page.locator('dialog#crop[open] cropper-selection').waitFor();
  await broker.page.locator('[data-crop-act="whole"]').click();
  await until('the new photo', () => broker.page.locator('[data-field="photo"] [data-files] li', { hasText: 'mai-again' }).count(), 30);
  await broker.go('#edit button[value="check"]');
  await broker.see('check-returned', { both: true });
  await broker.go('form[data-once] button');
  await broker.see('case-refiled');
}

const pressAndConfirm = async (p, key) => {
  await p.page.locator('details.keys').waitFor();
  await p.page.keyboard.press(key);
  await p.page.locator('dialog#ask[open]').waitFor();
  const navigated = p.page.waitForNavigation();
  await p.page.keyboard.press('Enter');
  await navigated;
};
const reviewUrl = () => caseUrl.replace('cases', 'review');

async function approve() {
  await first.open('/desk');
  await first.go('a.rowlink');
  await pressAndConfirm(first, 'a');
  await first.open(reviewUrl());
  await first.see('review-four-eyes', { both: true });
  holds(await first.page.locator('.facts .notice-box').count(), 'why the first reviewer cannot confirm');
  same(await first.page.locator('form[action$="/confirm"]').count(), 0, 'a button to confirm');
  await first.page.keyboard.press('a');
  same(await first.page.locator('dialog#ask[open]').count(), 0, 'a question after A');
  const status = await first.page.evaluate(async (href) => {
    const csrf = document.querySelector('meta[name="csrf"]').content, accept = { Accept: 'application/json' };
    const { version } = (await (await fetch(href.replace(/\/confirm$/, ''), { headers: accept })).json()).case;
    return (await fetch(href, { method: 'POST', headers: { 'X-CSRF-Token': csrf, ...accept }, body: new URLSearchParams({ version }) })).status;
  }, `${reviewUrl()}/confirm`);
  same(status, 409, 'the first reviewer confirms');
}

async function confirm() {
  await second.open('/desk?list=second');
  await second.see('desk-second', { both: true });
  await second.go('a.rowlink');
  await second.see('review-second', { both: true });
  await pressAndConfirm(second, 'a');
}

// ---- 4: pay ----

async function pay() {
  await broker.open(caseUrl);
  await broker.see('case-awaiting-payment', { both: true });
  await broker.go('section.todo a.govuk-button');
  await broker.see('pay', { both: true });
  await broker.go('form[data-once] button');
  await broker.see('pay-no-method', { both: true });
  await broker.page.goBack();
  await broker.page.locator('input[name="method"][value="card"]').check();
  await broker.picture('pay');
  await broker.go('form[data-once] button');
  await broker.page.locator('form.card--act').waitFor();
  await broker.see('payment', { both: true });
  await broker.go('form.card--act button');
  holds(broker.page.url().startsWith(gateway), broker.page.url());
  await broker.page.locator('#pay-card').click();
  await broker.page.locator('#order[data-state="paid"]').waitFor();
  await broker.page.close();
}

async function issued() {
  await broker.tab(caseUrl);
  await until('the permit', async () => {
    await broker.page.reload();
    return (await broker.page.locator('section.permit').count()) && (await broker.page.locator('a.docs__link').count()) >= 3;
  }, 30);
  await broker.see('case-issued', { both: true });
  await broker.picture('case', { width: 1280, height: 1000 });
  await broker.go('a[href^="/payments/"]');
  await broker.see('payment-paid', { both: true });
  pdfHead(await broker.get('.verdict a.govuk-button', 'receipt.pdf'));
  await broker.open('/cases');
  await broker.see('cases', { both: true });
}

// ---- 5 and 6: the papers, and who holds them ----

const run = (program_, ...args) => execFileSync(program_, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

async function papersOut() {
  await broker.open(caseUrl);
  const permit = await broker.get('a.docs__link:has-text("居留證")', 'permit.pdf');
  pdfHead(permit);
  const text = run('pdftotext', '-layout', permit, '-');
  for (const part of [who.native, who.zh, who.number]) holds(text.normalize('NFC').includes(part), `${part} on the permit:\n${text}`);
  holds(/Signature is Valid/.test(run('pdfsig', '-nocert', permit)), 'the signature of the permit');
  run('pdftoppm', '-png', '-r', '150', '-singlefile', permit, join(out, 'permit'));
  run('pdftoppm', '-png', '-r', '72', '-singlefile', permit, join(shots, 'picture-permit'));
  verifyUrl = run('zbarimg', '-q', '--raw', join(out, 'permit.png')).trim();
  holds(verifyUrl.startsWith(`${base}/verify/`), `the code leads to ${verifyUrl}`);
}

async function verify() {
  const anyone = await person(null);
  await anyone.open(verifyUrl);
  await anyone.see('verify', { both: true });
  await anyone.picture('verify', { width: 1280, height: 900 });
  same(await anyone.page.locator('.verdict--green').count(), 1, 'valid');
  const all = await anyone.page.content();
  for (const part of [who.surname, who.native, who.zh, who.number, birth(who), '縣府路', '宏遠']) holds(!all.includes(part), `${part} is on the public page`);
  await anyone.open('/verify');
  await anyone.see('verify-empty', { both: true });
  const [no, code] = verifyUrl.split('/').slice(-2);
  await anyone.type({ no, code: 'AAAA' });
  await anyone.go('main form button');
  await anyone.see('verify-unknown', { both: true });
  await anyone.type({ no, code });
  await anyone.go('main form button');
  same(await anyone.page.locator('.verdict--green').count(), 1, 'valid by number and code');
}

// ---- 7: the history ----

async function history() {
  await broker.open(caseUrl);
  const text = await broker.text('section:has(> #history)');
  for (const part of ['Hưong', who.native, '眼睛未張開']) holds(text.includes(part), `${part} in the history:\n${text}`);
  holds((await broker.page.locator('.history__item').count()) >= 9, text);
  ctl('audit', 'verify');
}

// ---- the other rooms ----

async function rooms() {
  await world();
  await broker.open('/cases');
  await broker.see('cases-many', { both: true });
  await broker.picture('cases');
  for (const path of ['/workers', '/account', '/no-such-page']) {
    await broker.open(path);
    await broker.see(`broker${path.replaceAll('/', '-')}`, { both: true });
  }
  await broker.open('/account');
  await Promise.all([broker.page.waitForNavigation(), broker.page.evaluate(() => { location.href = '/desk'; })]);
  same(await broker.page.locator('main a.govuk-button').getAttribute('href'), '/account', 'the way back');
  await second.open('/desk');
  await second.see('desk-many', { both: true });
  await second.open(`/search?q=${who.number}`);
  await second.see('search', { both: true });
  holds((await second.text()).includes(caseNo), 'found by the passport number');
  for (const [login, ...paths] of [['employer', '/account'], ['dispatcher', '/dispatch', '/dispatch?state=initial_review'], ['cashier', '/receipts'], ['auditor', '/audit'], ['admin', '/admin']]) {
    const p = await person(login);
    for (const path of paths) {
      await p.open(path);
      await p.see(`${login}${path.replace(/[/?=]/g, '-')}`, { both: true });
    }
    if (login === 'admin') {
      await p.go('#accounts ~ table a');
      await p.see('admin-account', { both: true });
    }
  }
}

export default () => walk('a person walks the seven steps', {
  '1 log in by the demo\'s account': logIn,
  '1 register a worker by the passport\'s lines': register,
  '2 begin an e-permit and fill it in': fillIn,
  '2 close the tab, open again: all is there': closeAndOpen,
  '2 a photo is refused, another is cropped': photo,
  '2 upload with progress': upload,
  '2 what is missing, then the summary': missing,
  '2 submit: case number and receipt of filing': submit,
  '3 the case is on one desk': reviewers,
  '3 documents beside data': openReview,
  '3 correct a typing error': correct,
  '3 return it for a better photo': giveBack,
  '3 the broker gets a mail': mail,
  '3 mend only that, file again': mend,
  '3 approve by a key; four eyes': approve,
  '3 the second reviewer confirms by a key': confirm,
  '4 pay, and close the browser before coming back': pay,
  '4 the case is paid all the same; permit and receipt': issued,
  '5 the permit: names, signature, code': papersOut,
  '6 anyone verifies it, and learns no name': verify,
  '7 the history, and the audit chain': history,
  'the other rooms': rooms,
});

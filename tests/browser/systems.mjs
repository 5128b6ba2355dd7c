// The whole way over six systems, each a process of its own: from the first registration to the card in the hand, with each system
// stopped once in between, by an administrator or by the end of its process. What came to each is read in its own books.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { base, dir, gateway, holds, out, person, program, same, until, walk } from './lib.mjs';
import { answers, birth, cardPhoto, day, mrz, printPapers, workers } from './papers.mjs';
import { approved, attach, registered } from './world.mjs';

const { LABOUR: labour, FINES: fines, BORDER: border, BUREAU: bureau, OPTIONS } = process.env;
const who = workers.mai, late = workers.budi;
const LATE_DAYS = 40;
let broker, admin, api, papers, worker, workerId, paper, card, lateCase, code, oldPermit;

// ---- the systems from outside ----

const books = async (system) => (await fetch(`${system}/books`)).json();
const serve = (goal) => execFileSync('conf/demo/serve', [goal, ...OPTIONS.split(' ')], { stdio: 'ignore' });

// The process ends at once, as a system whose power is cut.
async function switchOff(name) {
  const pid = readFileSync(join(dir, `${name}.pid`), 'utf8').trim();
  process.kill(Number(pid), 'SIGKILL');
  await until(`the end of ${name}`, () => {
    try {
      return !readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return true;
    }
  });
}

// ---- what pages say ----

const link = (plugin) => admin.page.locator(`li.links__one:has(#link-${plugin})`);
const shownState = async (plugin) => /mark--(\w+)/.exec(await link(plugin).locator('.links__head .tag').getAttribute('class'))?.[1];
const waiting = async (plugin) => Number.parseInt(await link(plugin).locator('dd').first().innerText(), 10);

async function pause(plugin, reason) {
  await admin.open('/admin/system');
  await link(plugin).locator('details summary').click();
  await link(plugin).locator('input[name="reason"]').fill(reason);
  await admin.go(`li:has(#link-${plugin}) details button`);
  same(await shownState(plugin), 'paused', plugin);
}

async function resume(plugin) {
  await admin.open('/admin/system');
  await admin.go(`li:has(#link-${plugin}) > form button`);
}

// The administrator sees it down, and so many things that wait.
async function seenDown(plugin, n) {
  await until(`${plugin} to be called down`, async () => {
    await admin.open('/admin/system');
    return await shownState(plugin) === 'down' && (n === undefined || await waiting(plugin) === n);
  });
}

async function until200(p, path, what, probe, seconds = 20) {
  await until(what, async () => {
    await p.open(path);
    return probe(await p.text());
  }, seconds);
}

const told = (name, since) => (text) => text.includes(`${name}的連線${since}`);

// ---- 1: an e-permit, with the scanner held back ----

async function register() {
  broker = await person('broker');
  admin = await person('admin');
  api = await program('broker');
  papers = await printPapers((await person(null)).page, 'mai');
  await broker.open('/workers/new');
  await broker.page.locator('html.ready').waitFor();
  await broker.type({ mrz: mrz(who) });
  await until('the lines to be read', () => broker.page.locator('[data-mrz-said] .same').count());
  const employer = await broker.page.locator('#f-employer option', { hasText: '宏遠' }).getAttribute('value');
  await broker.type({ employer, name_native: who.native, permit_letter: answers().permit_letter });
  await broker.go('#edit .actions button');
  worker = new URL(broker.page.url()).pathname;
  workerId = worker.split('/').pop();
  holds((await broker.text('.stay__facts')).includes('尚無資料'), 'nobody has said anything yet');
}

async function put(slot, file) {
  await broker.page.locator(`#f-${slot}`).setInputFiles(file);
  if (slot === 'photo') {
    await broker.page.locator('dialog#crop[open] cropper-selection').waitFor();
    await broker.page.locator('[data-crop-act="whole"]').click();
  }
  const name = typeof file === 'string' ? file.split('/').pop() : file.name;
  await until(`${slot} to be taken`, () => broker.page.locator(`[data-field="${slot}"] [data-files] li`, { hasText: name.split('.')[0] }).count(), 30);
}

// EICAR's harmless test string, in two halves so that no scanner trips over this file.
function infected() {
  const eicar = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';
  const path = join(out, 'infected.pdf');
  writeFileSync(path, readFileSync(papers.letter, 'latin1').replace('\n', `\n% ${eicar}\n`), 'latin1');
  return path;
}

async function refused() {
  await broker.go('.offer__row:has-text("電子居留證") button');
  paper = new URL(broker.page.url()).pathname.replace('/edit', '');
  await broker.type({ ...answers(), name_zh: who.zh, declare: true });
  await put('employment_proof', infected());
  await until200(broker, `${paper}/check`, 'the verdict', (text) => text.includes('已予隔離'));
  await broker.see('systems-infected');
  same(await broker.page.locator('form[data-once] button').count(), 0, 'a button to file it');
  await broker.open(`${paper}/edit`);
  await broker.page.locator('[data-field="employment_proof"] .file__remove').click();
  await until('its being gone', async () => !(await broker.page.locator('[data-field="employment_proof"] [data-files] li').count()));
}

async function filed() {
  await pause('scanner', '更新病毒碼');
  await put('photo', cardPhoto('mai'));
  await put('passport_page', papers.passport);
  await put('employment_proof', papers.letter);
  await broker.open(`${paper}/check`);
  await broker.go('form[data-once] button');
  const text = await broker.text();
  holds(told('掃毒服務', '因維護暫停')(text), `what the applicant reads: ${text}`);
  await broker.see('systems-unscanned');
  await admin.open('/admin/system');
  same([await shownState('scanner'), await waiting('scanner')], ['paused', 3], 'what the administrator reads');
  await admin.see('systems-admin-paused');
  const dispatcher = await person('dispatcher');
  await dispatcher.open('/dispatch');
  holds((await dispatcher.text()).includes(who.surname), 'it waits to be assigned');
  await dispatcher.see('systems-dispatch');
  await resume('scanner');
  await until200(broker, paper, 'its being assigned', async () => await broker.state() === '初審中');
  same((await api.get(`${paper}.json`)).history.filter((e) => e.kind === 'file.clean').length, 3, 'verdicts on the clean files');
}

// ---- 2: reviewed, paid with the gateway held back, issued ----

async function paid() {
  await approved(api, paper.split('/').pop());
  await pause('ecpay', '金流維護');
  await broker.open(paper);
  holds(told('金流平台', '因維護暫停')(await broker.text()), 'what the applicant reads before paying');
  await broker.go('section.todo a.govuk-button');
  await broker.page.locator('input[name="method"][value="card"]').check();
  await broker.go('form[data-once] button');
  holds(told('金流平台', '因維護暫停')(await broker.text()), 'what the applicant reads');
  await broker.see('systems-payment-waits');
  await admin.open('/admin/system');
  same(await waiting('ecpay'), 1, 'payments that wait');
  same((await books(gateway)).orders, [], 'orders at the gateway');
  await resume('ecpay');
  await payAtGateway(broker);
  same((await books(gateway)).orders.map((o) => o.state), ['paid'], 'orders at the gateway');
}

async function payAtGateway(p) {
  await p.page.locator('form.card--act').waitFor();
  await p.go('form.card--act button');
  await p.page.locator('#pay-card').click();
  await p.page.locator('#order[data-state="paid"]').waitFor();
}

async function issued() {
  await until200(broker, paper, 'the permit', async () => await broker.page.locator('section.permit').count(), 30);
  oldPermit = await broker.page.locator('.permit__act a').getAttribute('href');
}

// ---- 3: the arrival, with the border held back; the employment permit, with the labour agency switched off ----

const traveller = (w) => ({ name_latin: `${w.surname} ${w.given}`, passport_no: w.number, nationality: w.nationality ?? 'VNM', birth: birth(w), sex: w.sex });

// A form of a system's own page, filled in by the person who plays it.
async function play(p, address, action, fields) {
  await p.open(`${address}/`);
  const form = p.page.locator(`form[action="${action}"]:has([name="${Object.keys(fields).at(-1)}"])`).first();
  for (const [name, value] of Object.entries(fields)) {
    const box = form.locator(`[name="${name}"]`);
    if (await box.evaluate((e) => e.tagName) === 'SELECT') await box.selectOption(value);
    else await box.fill(value);
  }
  const left = p.page.waitForNavigation();
  await form.locator('button').click();
  await left;
}

async function arrives() {
  await pause('border', '介面更新');
  const inspector = await person(null);
  await play(inspector, border, '/report', { direction: 'arrival', ...traveller(who), entry: 'resident_visa', permit_no: '' });
  await inspector.see('systems-border');
  holds((await inspector.text('#waiting')).endsWith(': 1'), 'a message that was not fetched');
  await broker.open(worker);
  holds(told('入出境查驗系統', '因維護暫停')(await broker.text()), 'what the applicant reads');
  await broker.see('systems-worker-waits', { both: true });
  await resume('border');
  await until200(broker, worker, 'the arrival', (text) => text.includes('前申請居留證'));
  same((await api.get(`${worker}.json`)).stay.movements.length, 1, 'movements');
  await until('the acknowledgement', async () => (await books(border)).messages.every((m) => m.acked));
  same((await books(border)).acks.length, 1, 'acknowledgements');
}

async function permitted() {
  await switchOff('labour');
  await seenDown('labour');
  await admin.see('systems-admin-down');
  await until200(broker, worker, 'the link to be told', told('勞動主管機關系統', '中斷'));
  serve('start');
  const official = await person(null);
  await play(official, labour, '/issue', {
    kind: 'employment', category: 'manufacturing', employer_id: '04595257', employer_name: '宏遠精密股份有限公司',
    workplace: '桃園市龜山區文化一路1號', ...traveller(who), recruitment_no: '' });
  await official.see('systems-labour');
  await until200(broker, worker, 'the letter', (text) => text.includes('勞動發事字第'));
  await broker.see('systems-worker', { both: true });
  same((await api.get(`${worker}.json`)).stay.letters.length, 1, 'letters');
}

// ---- 4: the card's form is there, but for what is new ----

async function cardFiled() {
  await broker.go('.offer__row:has-text("IC 卡") button');
  card = new URL(broker.page.url()).pathname.replace('/edit', '');
  await broker.see('systems-card-form', { both: true });
  for (const slot of ['photo', 'passport_page'])
    same(await broker.page.locator(`[data-field="${slot}"] [data-files] li`).count(), 1, `${slot} of the permit in force`);
  await broker.type({ declare: true });
  await put('employment_proof', papers.letter);
  await until200(broker, `${card}/check`, 'all to be there', async () => await broker.page.locator('form[data-once] button').count());
  await broker.go('form[data-once] button');
  await until200(broker, card, 'its being assigned', async () => await broker.state() === '初審中');
  const cardNo = (await api.get(`${card}.json`)).case.case_no;
  const case_ = await until('the fines system to be told', async () => (await books(fines)).cases.find((c) => c.told.case_no === cardNo));
  same(case_.told.days_late, '0', 'days late');
}

// ---- 5: another is filed late, with the fines system switched off ----

async function lateFiled() {
  const inspector = await person(null), printer = await person(null);
  const id = await registered(api, 'budi', '宏遠');
  const at = new Date(Date.now() - (30 + LATE_DAYS) * 86400000).toISOString().replace(/\.\d+/, '');
  await play(inspector, border, '/report', { direction: 'arrival', ...traveller(late), at, permit_no: '' });
  await until('the arrival', async () => (await api.get(`/workers/${id}.json`)).stay.entered);
  await switchOff('fines');
  const made = (await api.post('/cases', { service: 'card', worker: id })).answer;
  lateCase = `/cases/${made}`;
  const typed = Object.entries(answers()).filter(([name]) => !['arrived', 'entry_date'].includes(name));
  await api.post(`${lateCase}/edit`, { ...Object.fromEntries(typed), declare: 'yes' });
  await attach(api, printer.page, made, 'budi');
  await printer.leave();
  await api.post(`${lateCase}/submit`);
  await until('its being assigned', async () => (await api.get(`${lateCase}.json`)).case.state.code === 'initial_review');
  await seenDown('fines', 1);
  await until200(broker, lateCase, 'the link to be told', told('罰鍰系統', '中斷'));
  await broker.see('systems-late-waits', { both: true });
  const officer = await person('reviewer1');
  await officer.open(lateCase.replace('cases', 'review'));
  holds(told('罰鍰系統', '中斷')(await officer.text()), 'what the officer reads');
}

async function pays(path) {
  const payment = (await api.post('/payments', { case: [path.split('/').pop()], method: 'card' })).answer;
  const { action, fields } = await until('the gateway\'s form', async () => (await api.get(`/payments/${payment}.json`)).redirect);
  const form = new URLSearchParams(fields.map((f) => [f.name, f.value]));
  await fetch(action, { method: 'POST', body: form });
  await fetch(`${gateway}/control/pay?order=${form.get('MerchantTradeNo')}&method=card`, { method: 'POST' });
  await until('the payment', async () => (await api.get(`/payments/${payment}.json`)).is_paid);
}

async function held() {
  await approved(api, lateCase.split('/').pop());
  await pays(lateCase);
  await until200(broker, lateCase, 'its being held', async () => await broker.state() === '暫停發證');
  serve('start');
  const cashier = await person(null);
  await until200(cashier, `${fines}/`, 'the fine', (text) => text.includes('NT$') && text.includes('收款'));
  await cashier.see('systems-fines');
  await until200(broker, lateCase, 'the fine to be told', (text) => /NT\$ \d+/.test(text) && text.includes('罰鍰'));
  await broker.see('systems-held', { both: true });
  const { cases, fines: all } = await books(fines);
  same(all.length, 1, 'fines');
  same(cases.length, 3, 'cases that it was told');
  await cashier.go('form[action="/change"] button:has-text("收款")');
}

// ---- 6: the card is made, with the bureau switched off first ----

async function ordered() {
  await until200(broker, lateCase, 'its going on', async () => await broker.state() === '製證中');
  await switchOff('card-bureau');
  await approved(api, card.split('/').pop());
  await pays(card);
  await seenDown('bureau', 1);
  await until200(broker, card, 'the link to be told', told('製卡中心', '中斷'));
  await broker.see('systems-card-waits', { both: true });
  const officer = await person('reviewer1');
  await officer.open(card.replace('cases', 'review'));
  holds(told('製卡中心', '中斷')(await officer.text()), 'what the officer reads');
  serve('start');
  await until('both orders', async () => Object.keys((await books(bureau)).jobs).length === 2, 40);
}

const cardStep = (wanted) => until(`the card to be ${wanted}`, async () => (await api.get(`${card}.json`)).card?.state.code === wanted);

async function made() {
  const clerk = await person(null);
  await clerk.open(`${bureau}/`);
  const job = clerk.page.locator('section', { hasText: `${who.surname} ${who.given}` });
  for (const [step, state] of [['accept', 'accepted'], ['make', 'made'], ['spoil', 'spoiled'], ['accept', 'accepted'], ['make', 'made'], ['send', 'sent'], ['arrive', 'arrived']]) {
    const left = clerk.page.waitForNavigation();
    await job.locator(`form:has([value="${step}"]) button`).click();
    await left;
    if (step === 'spoil') await clerk.see('systems-bureau');
    await cardStep(state);
  }
  await broker.open(card);
  await broker.see('systems-card-arrived', { both: true });
  code = (await broker.text('.fetch__code')).trim();
  const { jobs, stock, faults_of_stock: faults } = await books(bureau);
  same([Object.keys(jobs).length, stock.spoiled, stock.delivered, faults], [2, 1, 1, []], 'the bureau\'s books');
}

// ---- 7: in the hand ----

async function handedOut() {
  const permit = await person(null);
  await permit.open(oldPermit);
  same(await permit.page.locator('.verdict--green').count(), 1, 'the electronic permit until then');
  const officer = await person('reviewer1');
  await officer.open('/handout');
  await officer.see('systems-handout', { both: true });
  await officer.go(`a.rowlink:has-text("${who.surname}")`);
  await officer.type({ code });
  await officer.see('systems-handout-case');
  await officer.go('section.card form button');
  await permit.open(oldPermit);
  same(await permit.page.locator('.verdict--green').count(), 0, 'the electronic permit since then');
  holds((await permit.text()).includes('換發'), `what verification says: ${await permit.text()}`);
  await permit.see('systems-superseded', { both: true });
  await broker.open(card);
  same(await broker.state(), '已領取', 'the state');
  await broker.see('systems-collected', { both: true });
}

async function once() {
  same((await books(gateway)).orders.map((o) => o.state), ['paid', 'paid', 'paid'], 'orders at the gateway');
  for (const system of [labour, fines, border]) {
    const { messages, requests } = await books(system);
    same(messages.filter((m) => !m.acked), [], `${system}: messages that nobody fetched`);
    same(requests.flatMap((r) => r.faults), [], `${system}: faults of requests`);
  }
  const told = (await books(border)).permits.map((p) => [p.permit.state, Object.values(p.times).every((n) => n === 1)]);
  same(told.sort(), [['superseded', true], ['valid', true]], 'permits that the border was told, each version once');
  await admin.open('/admin/system');
  for (const plugin of ['scanner', 'ecpay', 'border', 'labour', 'fines', 'bureau'])
    same([await shownState(plugin), await waiting(plugin)], ['up', 0], plugin);
  await admin.see('systems-admin', { both: true });
}

export default () => walk('six systems', {
  'register a worker of whom nobody has said anything': register,
  'an infected file is refused': refused,
  'the scanner is paused: filed all the same, and assigned once it is back': filed,
  'the gateway is paused: paid once it is back, once': paid,
  'the electronic permit': issued,
  'the border is paused: the arrival comes once it is back': arrives,
  'the labour agency is down: its letter comes once it is back': permitted,
  'the card\'s form is filled in, but for what is new': cardFiled,
  'another is filed late while the fines system is down': lateFiled,
  'it is held until its fine is paid': held,
  'the bureau is down: ordered once it is back, once': ordered,
  'the card is made, spoiled, made again, sent': made,
  'handed out against its code; the electronic permit is superseded': handedOut,
  'each system has each thing once': once,
});

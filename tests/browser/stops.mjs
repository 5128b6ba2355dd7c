// What goes wrong while people work: nothing that was acknowledged is lost, nothing is done twice.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { base, dir, holds, person, same, until, walk } from './lib.mjs';
import { ready } from './world.mjs';

const PATIENCE = 60; // s: the page itself tries again after 3, 6, 12, 24, 30
let broker, id, api;

const field = async (name) => (await api.get(`/cases/${id}/edit.json`)).form.sections.flatMap((s) => s.fields).find((f) => f.name === name).value;
const events = async () => (await api.get(`/cases/${id}.json`)).history.map((e) => e.what);
const saved = (p) => until('the form to be saved', async () => (await p.text('[data-saved]')).startsWith('已儲存'), PATIENCE);
const opened = async (p) => {
  await p.open(`/cases/${id}/edit`);
  await p.page.locator('[data-section-state]:not(:empty)').first().waitFor();
};

// The session ends on the server; the browser does not know.
async function endSession(p) {
  const cookie = (await p.context.cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  const headers = { Cookie: cookie, Accept: 'application/json' };
  const { csrf } = await (await fetch(`${base}/session.json`, { headers })).json();
  const answer = await fetch(`${base}/logout`, { method: 'POST', headers: { ...headers, 'X-CSRF-Token': csrf } });
  same(answer.status, 200, 'log-out');
  same((await fetch(`${base}/session.json`, { headers })).status, 401, 'the session');
}

async function expired() {
  ({ broker: api, id } = await ready('hieu'));
  broker = await person('broker');
  await opened(broker);
  await endSession(broker);
  const left = broker.page.waitForNavigation();
  await broker.type({ name_zh: '黃文孝', visa_no: 'V7777777' });
  await left;
  await broker.see('expired-login');
  await broker.type({ login: 'broker', password: 'not this one' });
  await broker.go('main form button:not([type="button"])');
  await broker.type({ login: 'broker', password: 'demo-permit-2026' });
  await broker.go('main form button:not([type="button"])');
  await broker.see('expired-resume');
  await broker.go('main form button');
  same([await field('name_zh'), await field('visa_no')], ['黃文孝', 'V7777777'], 'what was typed');
  same(await broker.page.locator('#f-name_zh').inputValue(), '黃文孝', 'on the page');
}

async function twoTabs() {
  await opened(broker);
  const other = await person('broker');
  await opened(other);
  await other.type({ visa_no: 'V1111111' });
  await saved(other);
  await broker.type({ visa_no: 'V2222222' });
  await broker.page.locator('[data-saved] button').waitFor();
  await broker.see('stale-told');
  const left = broker.page.waitForNavigation();
  await broker.page.locator('[data-saved] button').click();
  same((await left).status(), 409, 'the answer');
  await broker.see('stale', { both: true });
  const text = await broker.text();
  holds(text.includes('V1111111') && text.includes('V2222222'), `what has changed: ${text}`);
  await broker.go('.choice2 form button');
  same(await field('visa_no'), 'V2222222', 'what was kept');
  await other.open(`/cases/${id}/edit`);
  same(await other.page.locator('#f-visa_no').inputValue(), 'V2222222', 'in the other tab, loaded again');
}

async function offline() {
  await opened(broker);
  await broker.context.setOffline(true);
  await broker.type({ visa_no: 'V3333333' });
  await broker.page.locator('.saved--bad').waitFor();
  await broker.see('not-saved');
  await broker.context.setOffline(false);
  await saved(broker);
  same(await field('visa_no'), 'V3333333', 'once the line is back');
}

// It was saved, and nobody said so: what is asked for again is the same request, not one more change of the form.
async function unanswered() {
  await opened(broker);
  let dropped = 0;
  await broker.page.route(/\/edit$/, async (route) => {
    if (route.request().method() !== 'POST' || dropped++) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await broker.type({ visa_no: 'V5555555' });
  await broker.page.locator('.saved--bad').waitFor();
  same(await field('visa_no'), 'V5555555', 'what was saved without a word');
  await broker.type({ phone: '0987654321' });
  await until('what was typed meanwhile', async () => await field('phone') === '0987654321', PATIENCE);
  await saved(broker);
  same(await broker.page.locator('[data-saved] button').count(), 0, 'told of a change by somebody else');
  await broker.page.unroute(/\/edit$/);
}

async function early() {
  let release;
  const held = new Promise((go) => { release = go; });
  await broker.context.route('**/edit.js', async (route) => {
    await held;
    await route.continue();
  });
  await broker.open(`/cases/${id}/edit`);
  await broker.type({ visa_no: 'V3333334', phone: '0912345678' });
  release();
  await saved(broker);
  same([await field('visa_no'), await field('phone')], ['V3333334', '0912345678'], 'what was typed early');
  await broker.context.unroute('**/edit.js');
}

// The processes that serve: children of the server that are the server's own program.
function children() {
  const parent = readFileSync(join(dir, 'httpd.pid'), 'utf8').trim();
  return readdirSync('/proc').filter((pid) => {
    try {
      const [, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/^\d+ \(apache2\) \S (\d+)/) ?? [];
      return ppid === parent;
    } catch {
      return false;
    }
  }).map(Number);
}

async function killed() {
  await opened(broker);
  for (let n = 0; n < 4; n++) {
    const value = `V444000${n}`, acknowledged = await field('visa_no');
    broker.page.once('request', () => {
      for (const pid of children()) process.kill(pid, 'SIGKILL');
    });
    await broker.type({ visa_no: value });
    await broker.page.locator('#f-visa_no').blur();
    // What was acknowledged before is there, or what was being saved.
    const kept = await until('the server', () => field('visa_no').catch(() => null), PATIENCE);
    holds([acknowledged, value].includes(kept), `what was acknowledged is lost: ${kept}`);
    await until('it to be saved', async () => (await field('visa_no').catch(() => null)) === value, PATIENCE);
    await saved(broker);
  }
}

async function killedUpload() {
  const line = await broker.context.newCDPSession(broker.page);
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60000 });
  const before = (await api.get(`/cases/${id}.json`)).files.length;
  const input = broker.page.locator('#f-health_certificate');
  const paper = join(process.env.OUT, 'hieu-passport.jpg');
  await input.setInputFiles(paper);
  await broker.page.locator('[data-field="health_certificate"] progress').waitFor();
  for (const pid of children()) process.kill(pid, 'SIGKILL');
  // The browser itself may send it again over another connection; if it does not, the page says that it failed.
  const place = broker.page.locator('[data-field="health_certificate"]');
  await place.locator('.upload__bad, [data-files] li').first().waitFor({ timeout: 30000 });
  await line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await until('the server', () => field('visa_no').catch(() => null), PATIENCE);
  const listed = await place.locator('[data-files] li').count();
  same((await api.get(`/cases/${id}.json`)).files.length, before + listed, 'files after an upload that was cut off');
  if (!listed) {
    await input.setInputFiles(paper);
    await place.locator('[data-files] li').waitFor();
  }
  same((await api.get(`/cases/${id}.json`)).files.length, before + 1, 'files');
}

const filings = async () => (await events()).filter((what) => what === '送件').length;

async function twice() {
  await broker.open(`/cases/${id}/check`);
  const left = broker.page.waitForNavigation();
  await broker.page.locator('form[data-once] button').dblclick();
  await left;
  await broker.page.waitForLoadState('networkidle');
  same(new URL(broker.page.url()).pathname, `/cases/${id}`, 'where it leads');
  same(await filings(), 1, 'filings');
}

async function back() {
  await broker.page.goBack();
  await broker.page.waitForLoadState('networkidle');
  same(new URL(broker.page.url()).pathname, `/cases/${id}`, 'back leads to the case');
  await broker.see('back-after-submit', { both: true });
  same(await filings(), 1, 'filings');
}

async function twiceWithoutScript() {
  ({ id } = await ready('siti'));
  const plain = await person('broker', { script: false });
  await plain.open(`/cases/${id}/check`);
  await plain.page.locator('form[data-once] button').dblclick();
  await until('the case', () => new URL(plain.page.url()).pathname === `/cases/${id}`);
  same(await filings(), 1, 'filings');
}

export default () => walk('interruptions', {
  'the session ends in mid-form: what was typed survives': expired,
  'two tabs: the stale one is told what has changed': twoTabs,
  'the line is cut while it saves': offline,
  'the answer to a save is lost': unanswered,
  'typed before the script came': early,
  'the server is killed while it saves': killed,
  'the server is killed during an upload': killedUpload,
  'a double click files once': twice,
  'back after submit': back,
  'a double click files once without a script': twiceWithoutScript,
});

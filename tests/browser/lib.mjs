// A browser under test: people with windows of their own, pages judged at two widths and in two languages.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const { BASE: base, GATEWAY: gateway, DIR: dir, OUT: out, SHOTS: shots } = process.env;
export const password = 'demo-permit-2026';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const wide = { width: 1280, height: 860 }, narrow = { width: 320, height: 640 };
const other = { en: 'zh-Hant', 'zh-Hant': 'en' };

mkdirSync(out, { recursive: true });
mkdirSync(shots, { recursive: true });

// ---- counting ----

export const tally = { passed: 0, failed: 0 };

export function check(name, faults) {
  const bad = [faults].flat().filter(Boolean);
  tally[bad.length ? 'failed' : 'passed']++;
  console.log(`${bad.length ? 'FAILED' : 'ok    '} ${name}${bad.map((f) => `\n         ${f}`).join('')}`);
}

// Steps hang on those before them: the first that fails ends its walk.
export async function walk(title, steps) {
  console.log(`== ${title}`);
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      check(name);
    } catch (error) {
      check(name, error.stack.split('\n').slice(0, 12).join('\n         '));
      for (const [i, person] of people.entries())
        await person.page?.screenshot({ path: join(shots, `failed-${i}-${person.name ?? 'anyone'}.png`), timeout: 5000 }).catch(() => {});
      break;
    }
  }
  for (const person of people.splice(0)) await person.leave();
}

export function same(got, wanted, what = '') {
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

export function holds(truth, what) {
  if (!truth) throw new Error(what);
}

export async function until(what, probe, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await new Promise((go) => setTimeout(go, 60));
  }
}

// ---- people ----

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
export const end = () => browser.close();
const people = [];

// What no page may do, whoever looks at it.
function watch(page, faults) {
  page.setDefaultTimeout(10000);
  page.on('pageerror', (e) => faults.push(`script: ${e.message}`));
  page.on('console', (m) => {
    if (/Content.Security.Policy|Refused to/i.test(m.text())) faults.push(`policy: ${m.text()}`);
  });
  page.on('response', (r) => {
    if (r.status() >= 500) faults.push(`${r.status()} of ${r.url()}`);
  });
}

class Person {
  faults = [];

  async open(path) {
    await this.page.goto(path.startsWith('http') ? path : base + path);
    return this.page;
  }

  // A tab of the same window.
  async tab(path) {
    this.page = await this.context.newPage();
    return path ? this.open(path) : this.page;
  }

  // Types what there is to type, by the fields' names.
  async type(fields) {
    for (const [name, value] of Object.entries(fields)) {
      const radios = this.page.locator(`input[type="radio"][name="${name}"]`);
      const box = this.page.locator(`#f-${name}`);
      if (await radios.count()) await this.page.locator(`#f-${name}-${value}`).check();
      else if (await box.evaluate((e) => e.tagName) === 'SELECT') await box.selectOption(value);
      else if (value === true) await box.check();
      else await box.fill(value);
    }
  }

  // Clicks, and waits for the page that the click leads to.
  async go(selector, options = {}) {
    const navigated = this.page.waitForNavigation({ waitUntil: 'load' });
    await this.page.locator(selector).first().click(options);
    await navigated;
  }

  async login(login) {
    await this.open('/login');
    await this.type({ login, password });
    await this.go('main form button:not([type="button"])');
  }

  text(selector = 'main') {
    return this.page.locator(selector).first().innerText();
  }

  async state() {
    return (await this.text('.casehead__state .tag')).trim();
  }

  async speak(lang) {
    await this.context.addCookies([{ name: 'fwpermit_lang', value: lang, url: base }]);
    this.lang = lang;
  }

  // Judges the page as it stands: both widths, and in the other language too where it can be loaded again.
  async see(name, { both = false } = {}) {
    await this.look(name);
    if (!both) return;
    const mine = this.lang;
    for (const lang of [other[mine], mine]) {
      await this.speak(lang);
      await this.page.reload();
      if (lang !== mine) await this.look(`${name}.${lang}`);
    }
  }

  async look(name) {
    const faults = [];
    for (const size of [narrow, wide]) {
      await this.page.setViewportSize(size);
      faults.push(...await this.judge(size.width));
      await this.page.screenshot({ path: join(shots, `${name}.${size.width}.png`), fullPage: true });
    }
    check(`page ${name}`, faults);
  }

  // Everything that shows has come, and stands where it will.
  async settle() {
    await this.page.evaluate(async () => {
      await document.fonts.ready;
      const shown = [...document.images].filter((i) => i.checkVisibility());
      for (const i of shown) i.loading = 'eager';
      await Promise.all(shown.map((i) => i.decode().catch(() => {})));
    });
  }

  async judge(width) {
    await this.settle();
    const box = await this.page.evaluate(() => {
      const root = document.scrollingElement;
      const edge = root.clientWidth;
      const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > edge + 1);
      return root.scrollWidth > edge && wide.slice(-3).map((e) => e.outerHTML.slice(0, 90));
    });
    const found = [];
    if (box) found.push(`${width} px: scrolls sideways: ${box.join(' | ')}`);
    const page = this.script ? this.page : await copy(this.page, width);
    if (await page.evaluate('typeof axe') === 'undefined') await page.evaluate(axe);
    const { violations } = await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] })`);
    for (const v of violations)
      found.push(`${width} px: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} (${n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? ''})`).join(', ')}`);
    return found;
  }

  // A picture of what stands on one screen, for the README.
  async picture(name, { top = true, width = 1280, height = 800 } = {}) {
    const size = { width, height };
    await this.page.setViewportSize(size);
    await this.page.evaluate((top) => top && scrollTo(0, 0), top);
    await this.settle();
    await this.page.screenshot({ path: join(shots, `picture-${name}.png`) });
    await this.page.setViewportSize(wide);
  }

  // Downloads, and says where the file lies.
  async get(selector, name) {
    const coming = this.page.waitForEvent('download');
    await this.page.locator(selector).first().click();
    const path = join(out, name);
    await (await coming).saveAs(path);
    return path;
  }

  async leave() {
    await this.context.close().catch(() => {});
    if (this.faults.length) check(`${this.name ?? 'anyone'}'s pages do what they may`, this.faults);
  }
}

// A page that runs no script, as a page in which axe can: what the server sent, less the script.
let copies;
async function copy(page, width) {
  if (!copies) {
    copies = await browser.newPage({ reducedMotion: 'reduce' });
    await copies.route('**/*', (route) => route.request().isNavigationRequest()
      ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: copies.html }) : route.continue());
  }
  copies.html = (await page.content()).replace(/<script[^>]*><\/script>/g, '');
  await copies.setViewportSize({ width, height: 800 });
  await copies.goto(page.url());
  return copies;
}

// Somebody at a browser of their own; with a log-in they are logged in.
export async function person(login, { script = true, lang = 'zh-Hant' } = {}) {
  const p = new Person();
  Object.assign(p, { name: login, script });
  p.context = await browser.newContext({
    javaScriptEnabled: script, viewport: wide, reducedMotion: 'reduce', acceptDownloads: true, locale: 'zh-TW', timezoneId: 'Asia/Taipei',
  });
  p.context.on('page', (page) => watch(page, p.faults));
  people.push(p);
  await p.speak(lang);
  await p.tab();
  if (login) await p.login(login);
  return p;
}

// ---- programs ----

// The same platform by JSON: what is no part of a walk is set up by it.
export async function program(login) {
  let cookie = '', csrf = '';
  const ask = async (method, path, body) => {
    const form = body instanceof FormData;
    const answer = await fetch(base + path, {
      method, redirect: 'manual', body: form ? body : body && JSON.stringify(body),
      headers: {
        Accept: 'application/json', 'Accept-Language': 'zh-Hant', Cookie: cookie, 'X-CSRF-Token': csrf,
        ...(body && !form && { 'Content-Type': 'application/json' }),
      },
    });
    cookie = answer.headers.getSetCookie().map((c) => c.split(';')[0]).find((c) => /^fwpermit=/.test(c)) ?? cookie;
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  const it = {
    get: (path) => ask('GET', path),
    post: (path, fields = {}) => ask('POST', path, fields),
    upload(path, file) {
      const data = new FormData();
      data.append('file', new Blob([readFileSync(file)]), file.split('/').pop());
      return ask('POST', path, data);
    },
  };
  csrf = (await it.post('/login', { login, password })).csrf;
  return it;
}

export const ctl = (...args) =>
  execFileSync(join(dir, 'lib/fwpermitctl'), ['-c', join(dir, 'httpd.conf'), ...args], { encoding: 'utf8' });

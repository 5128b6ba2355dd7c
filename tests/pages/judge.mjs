// Every page with every sample: what its HTML has, what it weighs, what axe finds at two widths with scripts and without,
// and what the scripts do. Names of pages as arguments: those alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import axe from 'axe-core';
import { behaviour } from './behaviour.mjs';
import { serve } from './serve.mjs';

const build = process.env.B ?? 'build';
const filled = join(build, 'pages/html');
const all = readdirSync(filled).map((n) => n.replace(/\.html$/, ''));
const names = all.filter((n) => process.argv.length < 3 || process.argv.slice(2).includes(n));
const first = 100 * 1024, after = 15 * 1024;
let passed = 0, failed = 0;

function check(name, findings) {
  const list = [findings].flat().filter(Boolean);
  if (list.length) failed++;
  else passed++;
  for (const finding of list) console.log(`${name}: ${finding}`);
}

// ---- what the HTML has ----

function judgeHtml(name) {
  const html = readFileSync(join(filled, `${name}.html`), 'utf8');
  const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  check(`${name}: html`, [
    /<[^>]*\sstyle=/.test(html) && 'an inline style',
    /<[^>]*\son[a-z]+=/.test(html) && 'an inline handler',
    /<script(?![^>]*\ssrc=)/.test(html) && 'an inline script',
    /(href|src|action|formaction)="#"/.test(html) && 'an address was refused',
    html.includes('{{') && 'a {{ was left',
    /ui\.[a-z_0-9]+\b/.test(html) && 'a message has no text',
    (html.match(/<h1[ >]/g) ?? []).length !== 1 && 'not one h1',
    twice.length && `the id ${twice[0]} stands twice`,
    gzipSync(html).length > after && `${gzipSync(html).length} bytes over the wire`,
  ]);
}

function judgeTemplates() {
  const templates = readdirSync('htdocs/pages').map((n) => n.replace(/\.html$/, '')).filter((n) => !n.startsWith('part_'));
  check('templates: each has a sample', templates.filter((t) => !all.some((n) => n.split('.')[0] === t)));
}

// ---- what a browser sees ----

// A tab of one width; what its pages say and weigh since a page was asked for is in `said` and `weight`.
async function openTab(browser, width, scripts) {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  if (!scripts) await context.route(/\.js$/, (route) => route.abort());
  const page = await context.newPage();
  const tab = { context, page, scripts, said: [], weight: 0 };
  await (await context.newCDPSession(page)).send('Network.setCacheDisabled', { cacheDisabled: true });
  page.on('console', (m) => { if (m.type() === 'error' && !/\(Not Found\)/.test(m.text())) tab.said.push(m.text()); });
  page.on('pageerror', (e) => tab.said.push(String(e)));
  page.on('response', async (r) => {
    if (!r.url().includes('/samples/')) tab.weight += (await r.request().sizes().catch(() => ({ responseBodySize: 0 }))).responseBodySize;
  });
  return tab;
}

async function judgePage(tab, base, name) {
  tab.said = [];
  tab.weight = 0;
  await tab.page.goto(`${base}/${name}`);
  if (tab.scripts) await tab.page.waitForSelector('html.ready');
  const result = await tab.page.evaluate(`${axe.source}; axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations'] })`);
  const wide = await tab.page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  return [
    ...result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 3).join(' | ')}`),
    ...tab.said, wide > 0 && `${wide} px too wide`, tab.weight > first && `${tab.weight} bytes at first`,
  ];
}

async function judgePages(browser, base, width, scripts, wanted) {
  const tab = await openTab(browser, width, scripts);
  for (const name of names.filter(wanted)) {
    const label = `${name}: ${width} px${scripts ? '' : ', no scripts'}`;
    const findings = await judgePage(tab, base, name).catch((e) => [String(e)]);
    check(label, scripts ? findings : findings.filter((f) => !/ERR_FAILED/.test(f)));
  }
  await tab.context.close();
}

judgeTemplates();
names.forEach(judgeHtml);
const site = await serve(build);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const zh = (n) => n.endsWith('.zh-Hant'), en = (n) => n.endsWith('.en');
await judgePages(browser, site.base, 1280, true, zh);
await judgePages(browser, site.base, 320, false, zh);
await judgePages(browser, site.base, 320, true, en);
await judgePages(browser, site.base, 1280, false, en);
site.close();
if (names.length === all.length) await behaviour(browser, build, check);
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

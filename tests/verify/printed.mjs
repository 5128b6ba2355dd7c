// The page that a platform published, opened from disk without a network: the verdict on each file that is named. usage:
// printed.mjs PAGE AT FILE...   AT is the page's clock; prints {"said": {FILE: [verdict, text]}, "asked": [...]}.
import { basename } from 'node:path';
import { chromium } from 'playwright-core';

const [source, at, ...files] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ offline: true });
const page = await context.newPage(), asked = [], said = {};

page.on('request', (request) => { if (!/^(file|data|blob):/.test(request.url())) asked.push(request.url()); });
page.on('pageerror', (error) => asked.push(String(error)));
await page.clock.setFixedTime(at);
await page.goto(`file://${source}`);
await page.waitForSelector('html.ready');
if ((await page.getAttribute('html', 'lang')) !== 'en') await page.click('#language');
for (const file of files) {
  await page.evaluate(() => document.getElementById('result').replaceChildren());
  await page.setInputFiles('#file', file);
  await page.waitForFunction(() => !document.body.classList.contains('busy') && document.querySelector('#result > *'));
  said[basename(file)] = [(await page.$('#verdict')) && (await page.$eval('#verdict', (e) => e.lastChild.textContent)), await page.$eval('#result', (e) => e.innerText)];
}
await browser.close();
console.log(JSON.stringify({ said, asked }));

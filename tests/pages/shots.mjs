#!/usr/bin/env node
// Pictures of the pages: tests/pages/shots [part of a name ...] writes $B/shots/<page>.<lang>.<width>.png
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const build = process.env.B ?? 'build';
const out = join(build, 'shots');
const wanted = process.argv.slice(2);
const widths = (process.env.WIDTHS ?? '1280,360').split(',').map(Number);
const names = readdirSync(join(build, 'pages/html')).map((n) => n.replace(/\.html$/, ''))
  .filter((n) => !wanted.length || wanted.some((w) => n.includes(w)));

mkdirSync(out, { recursive: true });
const site = await serve(build);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const width of widths) {
  const page = await browser.newPage({ viewport: { width, height: width > 700 ? 860 : 740 } });
  for (const name of names) {
    await page.goto(`${site.base}/${name}`, { waitUntil: 'networkidle' });
    await page.evaluate(() => document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; }));
    await page.waitForLoadState('networkidle');
    await page.screenshot({ path: join(out, `${name}.${width}.png`), fullPage: !process.env.FOLD });
  }
}
await browser.close();
site.close();

// usage: main.mjs [walk ...]; tests/browser/run starts the platform and says where it is.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, dir, end, tally } from './lib.mjs';

const wanted = process.argv.slice(2);
const all = ['person', 'plain', 'stops'];
// What a walk does on purpose, and the server tells.
const told = /exit signal Killed|FWP2107 |FWP2140 .* is infected and locked away/;

try {
  for (const name of wanted.length ? wanted : all) await (await import(`./${name}.mjs`)).default();
} catch (error) {
  check('the walks run', error.stack);
}
await end();

const bad = /:(error|crit|alert|emerg|warn)\]|\] (error|warning): |Sanitizer|child pid|exit signal/;
check('nothing unexpected in the error log', readFileSync(join(dir, 'logs/error.log'), 'utf8')
  .split('\n').filter((line) => bad.test(line) && !told.test(line)).slice(0, 20));
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed || !tally.passed ? 1 : 0;

// The page that verifies without a network: its parts in node, then itself in a browser. The last line reads "N passed, N failed".
import { join } from 'node:path';
import { tally } from './count.mjs';
import { testPage } from './page.mjs';
import { makeAgency } from './papers.mjs';
import { testParts } from './parts.mjs';

const [out, program] = process.argv.slice(2);
const ours = makeAgency(join(out, 'ours')), stranger = makeAgency(join(out, 'stranger'), 'Agency of the test');
await testParts(join(out, 'ours'), ours, stranger);
await testPage(out, ours, stranger, program);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed ? 1 : 0);

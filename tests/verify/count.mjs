// Counting, and saying what was wrong.
export const tally = { passed: 0, failed: 0 };

export async function check(name, work) {
  try {
    await work();
    tally.passed++;
    console.log(`ok     ${name}`);
  } catch (error) {
    tally.failed++;
    console.log(`FAILED ${name}\n       ${error.stack.split('\n').slice(0, 6).join('\n       ')}`);
  }
}

export function equal(got, wanted) {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

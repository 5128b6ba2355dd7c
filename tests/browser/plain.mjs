// The main steps again in English, by a browser that runs no script.
import { gateway, holds, person, same, until, walk } from './lib.mjs';
import { answers, birth, cardPhoto, expiry, mrz, portrait, printPapers, workers } from './papers.mjs';

const who = workers.thu;
const plain = { script: false, lang: 'en' };
let broker, first, second, papers, casePath;

const value = (p, name) => p.page.locator(`#f-${name}`).inputValue();

async function register() {
  papers = await printPapers((await person(null)).page, 'thu');
  broker = await person('broker', plain);
  await broker.open('/workers/new');
  await broker.type({ mrz: mrz(who).toLowerCase() });
  await broker.go('button[name="_read"]');
  same([await value(broker, 'name_latin'), await value(broker, 'passport_no'), await value(broker, 'birth'), await value(broker, 'passport_expiry')],
    [`${who.surname} ${who.given}`, who.number, birth(who), expiry(who)], 'what the lines say');
  await broker.see('plain-worker');
  await broker.go('#edit .actions button');
  await broker.see('plain-worker-errors');
  holds(await broker.page.locator('.govuk-error-summary').count(), 'the employer is missing, and nobody says so');
  const employer = await broker.page.locator('#f-employer option', { hasText: 'Hong Yuan' }).getAttribute('value');
  await broker.type({ employer, name_native: who.native, permit_letter: answers().permit_letter });
  await broker.go('#edit .actions button');
  holds(/\/workers\/\d+/.test(broker.page.url()), broker.page.url());
}

async function fillIn() {
  await broker.go('.offer__row button');
  casePath = new URL(broker.page.url()).pathname.replace('/edit', '');
  // What hangs on an answer is asked for once the answer is saved.
  same(await broker.page.locator('#f-entry_date').isVisible(), false, 'the date of entry before it is known whether there was one');
  await broker.type({ has_ui_no: 'no', arrived: 'yes', category: 'manufacturing' });
  await broker.go('button[value="stay"]');
  await broker.type({ ...answers(), contract_to: '2020-01-01', declare: true });
  await broker.go('button[value="stay"]');
  await broker.see('plain-edit-wrong');
  holds(await broker.page.locator('#f-contract_to-error').count(), 'the wrong date is not told');
  same(await value(broker, 'contract_to'), '2020-01-01', 'what was typed');
  await broker.type({ contract_to: answers().contract_to });
  await broker.go('button[value="stay"]');
  same(await broker.page.locator('#edit .govuk-error-message').count(), 0, 'faults');
  same(await broker.page.locator('#f-declare').isChecked(), true, 'the declaration');
}

async function put(slot, file) {
  await broker.page.locator(`#f-${slot}`).setInputFiles(file);
  await broker.go(`button[form="upload-${slot}"]`);
}

async function upload() {
  await put('photo', portrait('thu-dark', who, 'w=620 h=797 wall=6a7078'));
  await broker.see('plain-photo-refused');
  holds(await broker.page.locator('.govuk-error-summary').count(), 'the dark wall is not told');
  await put('photo', cardPhoto('thu'));
  await put('passport_page', papers.passport);
  await put('employment_proof', papers.letter);
  await put('health_certificate', papers.letter);
  await broker.go('[data-field="health_certificate"] .file__remove');
  same(await broker.page.locator('.file').count(), 3, 'the files');
  await broker.see('plain-edit-full');
}

async function submit() {
  await broker.go('button[value="check"]');
  await broker.see('plain-check');
  await broker.go('form[data-once] button');
  await broker.see('plain-case');
  holds(/^\d{10}$/.test((await broker.text('.casehead__sub .code')).trim()), 'no case number');
}

async function giveBack() {
  const [one, two] = [await person('reviewer1', plain), await person('reviewer2', plain)];
  const mine = (p) => p.page.locator('a.rowlink', { hasText: who.surname }).count();
  [first, second] = await mine(one) ? [one, two] : [two, one];
  await first.go(`a.rowlink:has-text("${who.surname}")`);
  await first.see('plain-review');
  await first.page.locator('[data-fact="photo"] summary').click();
  await first.page.locator('#mark-photo').fill('The eyes are closed.');
  await first.go('form#return button');
  await broker.open(casePath);
  holds((await broker.text()).includes('The eyes are closed.'), 'the reason');
}

async function mend() {
  await broker.go('section.todo a.govuk-button');
  same(await broker.page.locator('#edit [data-field]:not(.field--locked)').evaluateAll((all) => all.map((e) => e.dataset.field)), ['photo'], 'what may be mended');
  await put('photo', portrait('thu-again', { portrait: who.portrait.replace('seed=5', 'seed=25') }, 'w=620 h=797'));
  await broker.see('plain-edit-returned');
  await broker.go('button[value="check"]');
  await broker.go('form[data-once] button');
}

async function approve() {
  await first.open(casePath.replace('cases', 'review'));
  await first.go('form[action$="/approve"] button');
  await second.open(casePath.replace('cases', 'review'));
  await second.see('plain-second');
  await second.go('form[action$="/confirm"] button');
}

async function pay() {
  await broker.open(casePath);
  await broker.go('section.todo a.govuk-button');
  await broker.page.locator('input[value="card"]').check();
  await broker.go('form[data-once] button');
  // The page looks again by itself.
  await broker.page.locator('form.card--act').waitFor();
  await broker.see('plain-payment');
  await broker.go('form.card--act button');
  holds(broker.page.url().startsWith(gateway), broker.page.url());
  await broker.go('#pay-card');
  await broker.go('#back');
  await until('the permit', async () => {
    await broker.open(casePath);
    return broker.page.locator('section.permit').count();
  }, 30);
  await broker.see('plain-issued');
}

async function verify() {
  const href = await broker.page.locator('.permit__act a').getAttribute('href');
  const anyone = await person(null, plain);
  await anyone.open(href);
  same(await anyone.page.locator('.verdict--green').count(), 1, 'valid');
  await anyone.see('plain-verify');
  holds(!(await anyone.page.content()).includes(who.surname), 'a name on the public page');
}

export default () => walk('the same without a script', {
  'register': register, 'fill in': fillIn, 'upload': upload, 'submit': submit, 'return': giveBack, 'mend': mend, 'approve and confirm': approve,
  'pay': pay, 'verify': verify,
});

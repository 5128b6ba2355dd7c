// More cases in more states, so that lists show what lists are for.
import { person, program, until } from './lib.mjs';
import { answers, birth, cardPhoto, expiry, mrz, printPapers, workers } from './papers.mjs';

export async function registered(broker, name, employer) {
  const w = workers[name];
  const { employers } = await broker.get('/workers/new');
  return (await broker.post('/workers', {
    employer: employers.find((e) => e.label.includes(employer)).id, mrz: mrz(w), name_latin: `${w.surname} ${w.given}`, name_native: w.native,
    sex: w.sex, birth: birth(w), nationality: w.nationality ?? 'VNM', passport_no: w.number, passport_expiry: expiry(w), permit_letter: answers().permit_letter,
  })).answer;
}

export async function attach(broker, page, id, name) {
  const { passport, letter } = await printPapers(page, name);
  await broker.upload(`/cases/${id}/files/photo`, cardPhoto(name));
  await broker.upload(`/cases/${id}/files/passport_page`, passport);
  await broker.upload(`/cases/${id}/files/employment_proof`, letter);
}

async function draft(broker, page, name, employer, upTo = 'all') {
  const worker = await registered(broker, name, employer);
  const id = (await broker.post('/cases', { service: 'epermit', worker })).answer;
  if (upTo === 'begun') return id;
  await broker.post(`/cases/${id}/edit`, { ...answers(), declare: 'yes' });
  await attach(broker, page, id, name);
  return id;
}

async function filed(broker, page, name, employer) {
  const id = await draft(broker, page, name, employer);
  await broker.post(`/cases/${id}/submit`);
  await until('the receipt of filing', async () => (await broker.get(`/cases/${id}`)).documents.length);
  return id;
}

async function holder(people, id) {
  for (const [i, p] of people.entries())
    if ((await p.get('/desk?list=mine')).cases.some((c) => c.id === id)) return [p, people[1 - i]];
  throw new Error(`nobody has case ${id}`);
}

export async function ready(name, employer = '宏遠') {
  const broker = await program('broker');
  const printer = await person(null);
  const id = await draft(broker, printer.page, name, employer);
  await printer.leave();
  return { broker, id };
}

async function decide(officer, id, what, fields = {}) {
  const { version } = (await officer.get(`/review/${id}`)).case;
  return officer.post(`/review/${id}/${what}`, { version, ...fields });
}

export async function approved(broker, id) {
  const people = [await program('reviewer1'), await program('reviewer2')];
  const [first, second] = await holder(people, id);
  await decide(first, id, 'approve');
  await decide(second, id, 'confirm');
}

export async function world() {
  const broker = await program('broker');
  const people = [await program('reviewer1'), await program('reviewer2')];
  const printer = await person(null);
  const { page } = printer;
  await draft(broker, page, 'dung', '長青', 'begun');
  const returned = await filed(broker, page, 'budi', '宏遠');
  const [first] = await holder(people, returned);
  await decide(first, returned, 'return', { 'mark.passport_page': '看不清楚，請重新掃描。' });
  await filed(broker, page, 'somchai', '宏遠');
  const paying = await filed(broker, page, 'maria', '長青');
  await approved(broker, paying);
  await filed(broker, page, 'lan', '宏遠');
  await printer.leave();
}

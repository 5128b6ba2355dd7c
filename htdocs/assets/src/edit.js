// A form that saves as one goes, asks for what the answers call for, and takes files with progress.
import { make, post, renewToken, requestId } from './ask.js';
import { letters } from './letter.js';
import { uploads } from './upload.js';

const form = document.getElementById('edit');
const words = form.dataset;
const say = (text, n) => text.replace('%1', n);
const fields = new Map(Array.from(document.querySelectorAll('[data-field]'), (f) => [f.dataset.field, f]));

function control(name) {
  return form.elements.namedItem(name);
}

function value(name) {
  const c = control(name);
  if (!c) return '';
  if (c.type === 'checkbox') return c.checked ? 'yes' : '';
  return c.value;
}

// ---- what is asked for ----

const holds = {
  eq: (v, wanted) => v === wanted,
  ne: (v, wanted) => v !== wanted,
  in: (v, wanted) => wanted.split('|').includes(v),
  present: (v) => v !== '',
  absent: (v) => v === '',
};

function applyConditions() {
  for (const f of fields.values()) {
    if (!f.dataset.when) continue;
    const asked = JSON.parse(f.dataset.when)
      .every((c) => (holds[c.op] ?? (() => true))(value(c.field), c.value ?? ''));
    f.hidden = !asked;
  }
}

// ---- how far each section is ----

function lacks([name, f]) {
  if (f.hidden || f.dataset.required !== 'true' || f.classList.contains('field--locked')) return false;
  return f.querySelector('[data-upload]') ? !f.querySelector('[data-files] li') : !value(name);
}

function showSections() {
  for (const place of document.querySelectorAll('[data-section-state]')) {
    const section = document.querySelector(`[data-section="${place.dataset.sectionState}"]`);
    const wrong = section.querySelectorAll('.govuk-form-group--error:not([hidden])').length;
    const n = Math.max(wrong, [...fields].filter((f) => section.contains(f[1]) && lacks(f)).length);
    place.textContent = n ? say(words.missing, n) : words.complete;
    place.classList.toggle('index__state--ok', !n);
  }
}

// ---- what is wrong with a field ----

function describe(f, name, text) {
  const id = `f-${name}-error`;
  let note = document.getElementById(id);
  const target = document.getElementById(`f-${name}`);
  const described = f.querySelector('fieldset') ?? target;
  f.classList.toggle('govuk-form-group--error', Boolean(text));
  if (!text) note?.remove();
  else {
    note ??= make('p', { class: 'govuk-error-message', id });
    note.replaceChildren(make('span', { class: 'govuk-visually-hidden' }, `${words.error} `), text);
    if (!note.isConnected) {
      const before = target.closest('.pw, .upload, .govuk-checkboxes, .choices') ?? target;
      before.before(note);
    }
  }
  const ids = new Set((described.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean));
  ids[text ? 'add' : 'delete'](id);
  described.setAttribute('aria-describedby', [...ids].join(' '));
  if (text) target.setAttribute('aria-invalid', 'true');
  else target.removeAttribute('aria-invalid');
}

const touched = new Set();

function showProblems(problems) {
  const wrong = new Map(problems.filter((p) => p.field).map((p) => [p.field, p.reason]));
  for (const [name, f] of fields) {
    if (f.querySelector('[data-upload]')) continue;
    const had = f.classList.contains('govuk-form-group--error');
    if (touched.has(name) || had) describe(f, name, wrong.get(name));
  }
}

// ---- filling in ----

function fill(filled) {
  let n = 0;
  for (const [name, text] of Object.entries(filled ?? {})) {
    const c = control(name);
    const f = fields.get(name);
    if (!c || !f || f.classList.contains('field--locked') || value(name) === text) continue;
    if (c.type === 'checkbox') c.checked = text === 'yes';
    else c.value = text;
    touched.add(name);
    note(name);
    if (name === 'mrz') continue;
    n++;
    f.classList.remove('is-filled');
    requestAnimationFrame(() => f.classList.add('is-filled'));
  }
  applyConditions();
  showSections();
  return n;
}

let readLast = '';
async function readMrz(area) {
  const said = document.querySelector('[data-mrz-said]');
  readLast = area.value.replace(/\s/g, '');
  const { status, body } = await post('/mrz', { mrz: area.value });
  if (status === 401) return leaveWithForm();
  if (status !== 200) return;
  const n = fill(body.fields);
  const wrong = (body.problems ?? []).map((p) => p.reason);
  said.replaceChildren(...(wrong.length
    ? [make('p', { class: 'upload__bad' }, wrong.join(' '))]
    : [make('p', { class: 'same' }, say(words.read, n))]));
}

for (const area of document.querySelectorAll('[data-mrz]:not([readonly])')) {
  area.addEventListener('input', () => {
    const text = area.value.replace(/\s/g, '');
    if (text.length >= 88 && text !== readLast) readMrz(area);
  });
  form.querySelector('[name="_read"]')?.addEventListener('click', (event) => {
    event.preventDefault();
    readMrz(area);
  });
}

for (const input of document.querySelectorAll('[data-date]')) {
  input.addEventListener('change', () => {
    const [, y, m, d] = input.value.trim().match(/^(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})$/) ?? [];
    if (y) input.value = `${y}-${m.padStart(2, '0')}-${d.padStart(2, '0')}`;
  }, true);
}

// ---- saving ----

const autosaves = 'autosave' in words;
const saved = document.querySelector('[data-saved]');
const unsent = new Map();
const calm = 1200, retryFirst = 3000, retryMost = 30000;
let timer = 0, saving = null, retry = retryFirst, stale = false;
let owed = null; // the save whose answer has not come: it may have been done, and is asked for again as it was

function note(name) {
  if (!autosaves || !fields.has(name)) return;
  unsent.set(name, value(name));
}

function plan(pause) {
  clearTimeout(timer);
  if (autosaves && !stale && (unsent.size || owed)) timer = setTimeout(save, pause);
}

function tell(text, bad = false, ...more) {
  saved.replaceChildren(text, ...more);
  saved.classList.toggle('saved--bad', bad);
}

const showLetter = letters(() => {
  unsent.set('_fill', '1');
  plan(0);
});

// The whole form goes to the server, whose answer keeps what was typed.
function leaveWithForm() {
  unsent.clear();
  form.append(make('input', { type: 'hidden', name: '_go', value: 'stay' }));
  form.submit();
}

function tellStale() {
  stale = true;
  const look = make('button', { type: 'button', class: 'linklike' }, words.look);
  look.addEventListener('click', leaveWithForm);
  tell(`${words.stale} `, true, look);
}

function took(body) {
  retry = retryFirst;
  form.elements.version.value = body.case.version;
  tell(say(words.savedAt, new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false })));
  fill(body.filled);
  showProblems(body.problems ?? []);
  showSections();
  showLetter(body.letter);
}

function owe() {
  owed = { id: requestId(), batch: new Map(unsent), version: form.elements.version.value };
  unsent.clear();
}

const ask = (options) => post(form.getAttribute('action'),
  { ...Object.fromEntries(owed.batch), version: owed.version }, { id: owed.id, ...options });

function tryLater() {
  tell(words.unsaved, true);
  plan(retry);
  retry = Math.min(retry * 2, retryMost);
}

async function send() {
  if (!owed) owe();
  tell(words.saving);
  const { status, body } = await ask();
  if (status === 0 || status >= 500) return tryLater();
  const { batch } = owed;
  owed = null;
  if (status === 200) return took(body);
  for (const [name, text] of batch) if (!unsent.has(name)) unsent.set(name, text);
  if (status === 401 || (status === 403 && !await renewToken())) return leaveWithForm();
  if (status === 409) return tellStale();
  if (status === 422) {
    for (const e of body.errors ?? []) unsent.delete(e.field);
    showProblems(body.errors ?? []);
    return tell(body.detail ?? words.unsaved, true);
  }
  tryLater();
}

async function save() {
  clearTimeout(timer);
  if (saving || stale || !(unsent.size || owed)) return saving;
  saving = send().finally(() => { saving = null; });
  await saving;
  plan(calm);
}

function changed(event) {
  const name = event.target.name;
  if (!name || event.target.form !== form || !fields.has(name)) return;
  if (event.type === 'change') touched.add(name);
  note(name);
  applyConditions();
  showSections();
  plan(event.type === 'change' ? 250 : calm);
}
form.addEventListener('input', changed);
form.addEventListener('change', changed);

// What a save under way has changed must be known before the form goes.
form.addEventListener('submit', async (event) => {
  clearTimeout(timer);
  if (!saving && !owed) return unsent.clear();
  event.preventDefault();
  await (saving ?? save());
  clearTimeout(timer);
  owed = null; // the form has all of it
  delete form.dataset.sent;
  form.requestSubmit(event.submitter);
});
addEventListener('pagehide', () => {
  if (!autosaves || stale || !(unsent.size || owed)) return;
  if (!owed) owe();
  ask({ keepalive: true });
});
addEventListener('beforeunload', (event) => {
  if ((unsent.size || owed) && (stale || saved?.classList.contains('saved--bad'))) event.preventDefault();
});

uploads(words, {
  saved: () => saving ?? save(),
  took: (version) => {
    if (version) form.elements.version.value = version;
    showSections();
  },
  refused: describe,
  loggedOut: leaveWithForm,
});
// Typed before this script was there.
function differs(c) {
  if (c.type === 'checkbox' || c.type === 'radio') return c.checked !== c.defaultChecked;
  if (c.options) return c.value !== ([...c.options].find((o) => o.defaultSelected) ?? c.options[0]).value;
  return c.value !== c.defaultValue;
}
for (const c of form.elements) if (fields.has(c.name) && differs(c)) note(c.name);
plan(calm);

applyConditions();
if (autosaves) showSections();

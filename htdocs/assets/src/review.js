// The reviewer's screen: documents as tabs with zoom, decisions by keys, the next case at once.
import { make, post, reasons } from './ask.js';

const main = document.querySelector('main.review');
const find = (selector) => main.querySelector(selector);

// ---- documents ----

const docs = [...main.querySelectorAll('[data-doc]')];
const bar = find('[data-viewer-bar]');
const zooms = [1, 1.5, 2, 3, 4.5];
let shown = 0, zoom = 0;

function applyZoom() {
  const stage = docs[shown]?.querySelector('[data-stage]');
  const image = stage?.querySelector('img');
  if (!image) return;
  stage.classList.toggle('is-zoomed', zoom > 0);
  image.style.width = zoom ? `${zooms[zoom] * stage.clientWidth}px` : '';
  if (zoom) image.style.maxHeight = '';
}

function zoomBy(step, point) {
  const stage = docs[shown]?.querySelector('[data-stage]');
  if (!stage) return;
  const x = (stage.scrollLeft + (point?.x ?? stage.clientWidth / 2)) / stage.scrollWidth;
  const y = (stage.scrollTop + (point?.y ?? stage.clientHeight / 2)) / stage.scrollHeight;
  zoom = step ? Math.max(0, Math.min(zooms.length - 1, zoom + step)) : 0;
  applyZoom();
  stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
}

function show(n) {
  shown = (n + docs.length) % docs.length;
  docs.forEach((doc, i) => { doc.hidden = i !== shown; });
  [...find('[data-viewer-tabs]').children].forEach((tab, i) => tab.setAttribute('aria-pressed', String(i === shown)));
  zoom = 0;
  applyZoom();
}

// A PDF is seen page by page.
function pages(doc) {
  const image = doc.querySelector('img');
  if (!image || doc.dataset.pdf !== 'true') return;
  const at = make('span', {}, '1');
  let page = 1;
  const turn = (step) => {
    const wanted = page + step;
    if (wanted < 1) return;
    const trial = new Image();
    trial.onload = () => {
      page = wanted;
      image.src = trial.src;
      at.textContent = page;
    };
    trial.src = image.getAttribute('src').replace(/\d+$/, wanted);
  };
  const button = (label, step) => {
    const b = make('button', { type: 'button', class: 'iconbtn' }, label);
    b.addEventListener('click', () => turn(step));
    return b;
  };
  doc.append(make('div', { class: 'doc__pages' }, button('←', -1), at, button('→', 1)));
}

if (docs.length) {
  bar.hidden = false;
  for (const [i, doc] of docs.entries()) {
    const tab = make('button', { type: 'button', class: 'iconbtn' }, doc.dataset.label);
    tab.addEventListener('click', () => show(i));
    find('[data-viewer-tabs]').append(tab);
    pages(doc);
    doc.querySelector('[data-stage]')?.addEventListener('click', (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      zoomBy(zoom ? 0 : 2, { x: event.clientX - box.left, y: event.clientY - box.top });
    });
  }
  for (const button of main.querySelectorAll('[data-zoom]'))
    button.addEventListener('click', () => zoomBy({ in: 1, out: -1, fit: 0 }[button.dataset.zoom]));
  show(0);
}

// ---- marks ----

const marks = [...main.querySelectorAll('[data-mark]')];

function countMarks() {
  const n = marks.filter((m) => m.value.trim()).length;
  const place = find('[data-marks-n]');
  if (place) place.textContent = n ? `(${n})` : '';
  for (const m of marks) m.closest('[data-fact], [data-doc]')?.classList.toggle('fact--marked', Boolean(m.value.trim()));
  return n;
}
const said = find('[data-decide-said]');
for (const m of marks)
  m.addEventListener('input', () => {
    countMarks();
    said.textContent = '';
  });
countMarks();

// ---- decisions ----

const words = find('[data-decide]').dataset;
const ask = document.getElementById('ask');

function sure(title) {
  ask.querySelector('[data-ask-title]').textContent = title;
  ask.showModal();
  ask.querySelector('[data-ask="yes"]').focus();
  return new Promise((resolve) => {
    const end = (yes) => { ask.close(); resolve(yes); };
    ask.querySelector('[data-ask="yes"]').onclick = () => end(true);
    ask.querySelector('[data-ask="no"]').onclick = () => end(false);
    ask.oncancel = () => end(false);
  });
}

function fieldsOf(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (name.startsWith('_')) continue;
    if (name.startsWith('mark.') && !value.trim()) continue;
    fields[name] = value;
  }
  return fields;
}

const labelOf = (button) => [...button.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(' ').trim();

async function decide(form) {
  const reason = form.elements.reason;
  said.textContent = '';
  if ('needsMark' in form.dataset && !countMarks()) {
    said.textContent = words.noMarks;
    return main.querySelector('[data-mark]')?.closest('details')?.querySelector('summary')?.focus();
  }
  if (reason && !reason.value.trim()) {
    said.textContent = words.noReason;
    return reason.focus();
  }
  const label = labelOf(form.querySelector('button'));
  if (!await sure(label)) return;
  const { status, body } = await post(form.getAttribute('action'), fieldsOf(form));
  if (status === 401) return form.submit();
  if (status !== 200 && status !== 202) {
    said.textContent = reasons(body).join(' ') || words.refused;
    return;
  }
  location.assign(main.dataset.next || '/desk');
}

for (const form of main.querySelectorAll('[data-decision]'))
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    delete form.dataset.sent;
    decide(form);
  });

// ---- keys ----

const keys = find('[data-keys]');
const on = keys.querySelector('[data-keys-on]');
const stored = 'fwpermit.keys';

function openDetails(details) {
  if (!details) return;
  details.open = true;
  details.scrollIntoView({ block: 'nearest' });
  details.querySelector('input:not([type="hidden"]), select, textarea')?.focus();
}

for (const details of main.querySelectorAll('[data-do]'))
  details.querySelector('summary').addEventListener('click', () => {
    if (!details.open) setTimeout(openDetails, 0, details);
  });

let differing = -1;
const act = {
  j: () => show(shown + 1),
  k: () => show(shown - 1),
  '+': () => zoomBy(1),
  '=': () => zoomBy(1),
  '-': () => zoomBy(-1),
  0: () => zoomBy(0),
  '?': () => { keys.open = !keys.open; },
  d: () => {
    const all = main.querySelectorAll('.fact--differs');
    if (!all.length) return;
    differing = (differing + 1) % all.length;
    all[differing].scrollIntoView({ block: 'center' });
    all[differing].querySelector('summary')?.focus();
  },
  m: () => openDetails(main.querySelector(`[data-fact="${docs[shown]?.dataset.slot}"] [data-do="mark"]`)),
};

function press(key) {
  const button = main.querySelector(`[data-key="${key}"]`);
  if (!button) return false;
  if (button.tagName === 'SUMMARY') openDetails(button.parentElement);
  else button.click();
  return true;
}

keys.hidden = false;
on.checked = localStorage.getItem(stored) !== 'off';
on.addEventListener('change', () => localStorage.setItem(stored, on.checked ? 'on' : 'off'));
addEventListener('keydown', (event) => {
  if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || ask.open) return;
  if (event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]')) return;
  const key = event.key.toLowerCase();
  if (act[key] && (docs.length || key === 'd' || key === '?')) act[key]();
  else if (!press(key)) return;
  event.preventDefault();
});

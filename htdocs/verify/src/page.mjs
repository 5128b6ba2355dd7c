// The page: takes a file or a camera, asks judge.mjs, shows what came out.
import { encode, latin1, utf8 } from './bytes.mjs';
import { findFiled, judgeList, judgePdf, judgeSeal } from './judge.mjs';
import { isPdf } from './pdf.mjs';
import { Altered, Unknown, isJws, readRevocations } from './revocations.mjs';
import { prepare, scanCamera, scanPicture } from './scan.mjs';
import { h, moment, showVerdict } from './show.mjs';
import { fill, texts } from './texts.mjs';
import { readTrust } from './trust.mjs';

const SIZE_MAX = 64 * 1024 * 1024;
const $ = (id) => document.getElementById(id);
// `again` judges the paper at hand once more, where another list has come.
const state = { lang: 'zh-Hant', trust: undefined, trustByFile: false, list: undefined, listBad: false, found: undefined, note: undefined, again: undefined };
const t = () => texts[state.lang];

// What the server put into the page; undefined where its mark was left.
function carried(id) {
  const text = $(id).textContent.trim();
  return text === '' || text.startsWith('@@') ? undefined : text;
}

// ---- showing ----

const dates = () => (state.list ? { issued: moment(state.list.issued, state.lang), next: moment(state.list.next, state.lang) } : {});

function sayTexts() {
  document.documentElement.lang = state.lang;
  document.title = t().title;
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = t()[element.dataset.t];
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', t()[element.dataset.label]);
  $('agency').textContent = state.trust?.agency[state.lang === 'en' ? 'en' : 'zh'] ?? t().agencyFallback;
  $('language').lang = state.lang === 'en' ? 'zh-Hant' : 'en';
}

function sayLists() {
  const lists = [];
  if (state.trust) lists.push(h('p', {}, h('strong', {}, t().trust), h('br'), fill(t().trustFacts, { issued: moment(state.trust.issued, state.lang), n: state.trust.signers.length })));
  if (state.trustByFile) lists.push(h('p', { class: 'warning' }, h('span', { class: 'warning__mark', 'aria-hidden': 'true' }, '!'), h('span', {}, t().trustByFile)));
  const verdict = judgeList(state.list, Date.now());
  const word = state.listBad ? 'listBad' : { none: 'listNone', fresh: 'listFresh', old: 'listOld', clock: 'listClock' }[verdict];
  const facts = state.list ? fill(t().listFacts, { ...dates(), n: state.list.permits.size }) : '';
  lists.push(h('p', {}, h('strong', {}, t().revocations), ' ', h('span', { class: `tag tag--${verdict === 'fresh' ? 'green' : 'yellow'}` }, t()[word]), facts ? h('br') : '', facts));
  $('lists').replaceChildren(...lists);
  $('untrusted').hidden = !!state.trust;
}

function sayFound() {
  const parts = [];
  if (state.note) parts.push(h('p', { class: `note note--${state.note.good ? 'good' : 'bad'}` }, h('span', { 'aria-hidden': 'true' }, state.note.good ? '✓ ' : '✕ '), t()[state.note.text]));
  if (state.found) parts.push(showVerdict(state.found, t(), state.lang, dates()));
  if (state.found?.statement?.format === 'fwpermit-filing/1') parts.push(attachmentForm(state.found.statement));
  $('result').replaceChildren(...parts);
}

function show() {
  sayTexts();
  sayLists();
  sayFound();
}

function showResult() {
  show();
  ($('verdict') ?? $('result')).focus();
}

// ---- files ----

async function takeTrust(text) {
  if (state.trust) return { good: false, text: 'trustHas' };
  try {
    state.trust = await readTrust(text);
    state.trustByFile = true;
    await takeCarriedList();
    return undefined;
  } catch {
    return { good: false, text: 'trustBad' };
  }
}

async function takeList(text) {
  if (!state.trust) return { good: false, text: 'needTrust' };
  try {
    const list = await readRevocations(text, state.trust);
    if (state.list && list.issued <= state.list.issued) return { good: false, text: 'listNotNewer' };
    state.list = list;
    state.listBad = false;
    return { good: true, text: 'listNewer' };
  } catch (error) {
    return { good: false, text: error instanceof Altered ? 'listAltered' : error instanceof Unknown ? 'listUnknown' : 'listUnreadable' };
  }
}

// The list stands in the page as a text in JSON.
async function takeCarriedList() {
  const text = carried('revocations');
  if (!text) return;
  try {
    state.listBad = !(await takeList(JSON.parse(text))).good;
  } catch {
    state.listBad = true;
  }
}

const world = () => ({ trust: state.trust, list: state.list, now: Date.now() });

async function judgeCode(code) {
  return code.kind === 'DataMatrix' ? judgeSeal(code.bytes, world()) : { verdict: 'qr', what: 'seal' };
}

async function judgePicture(file) {
  let code;
  try {
    code = await scanPicture(file);
  } catch {
    return { verdict: 'unusable' };
  }
  return code ? judgeCode(code) : { verdict: 'unreadable' };
}

// A document is judged anew when another list has come.
async function judgeAgain() {
  if (state.again) state.found = { ...(await state.again()), file: state.found?.file };
}

async function takeText(text) {
  state.note = await (isJws(text) ? takeList(text) : takeTrust(text));
  await judgeAgain();
}

function textOf(bytes) {
  const first = latin1(bytes.subarray(0, 64)).trimStart();
  if (!/^(eyJ|\{)/.test(first)) return undefined;
  try {
    return utf8(bytes);
  } catch {
    return undefined;
  }
}

async function takeDocument(file, bytes) {
  if (!state.trust) {
    state.note = { good: false, text: 'needTrust' };
    return;
  }
  state.again = isPdf(bytes) ? () => judgePdf(bytes, world()) : () => judgePicture(file);
  await judgeAgain();
}

async function take(file) {
  state.note = undefined;
  if (file.size === 0 || file.size > SIZE_MAX) {
    Object.assign(state, { again: undefined, found: { verdict: 'unusable', text: file.size ? 'large' : 'empty', file: file.name } });
    return;
  }
  const bytes = new Uint8Array(await file.arrayBuffer()), text = textOf(bytes);
  if (text !== undefined) return takeText(text);
  state.found = { file: file.name };
  await takeDocument(file, bytes);
  if (!state.found.verdict) state.found = undefined;
}

async function busy(work) {
  $('busy').textContent = t().reading;
  document.body.classList.add('busy');
  await new Promise((go) => setTimeout(go));
  try {
    await work();
  } finally {
    document.body.classList.remove('busy');
    $('busy').textContent = '';
    showResult();
  }
}

// ---- attachments ----

function attachmentForm(statement) {
  const said = h('p', { class: 'attach__said', role: 'status' });
  const input = h('input', { type: 'file', id: 'attachment', 'aria-describedby': 'attachment-hint', class: 'pick__input' });
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file) return;
    const one = await findFiled(statement, new Uint8Array(await file.arrayBuffer()));
    said.className = `attach__said note note--${one ? 'good' : 'bad'}`;
    said.textContent = `${one ? '✓' : '✕'} ${fill(t()[one ? 'attachYes' : 'attachNo'], { file: file.name, ...one })}`;
  });
  return h('section', { class: 'card' }, h('h2', {}, t().attach), h('p', { class: 'fine', id: 'attachment-hint' }, t().attachHint),
    h('div', { class: 'pick' }, input, h('label', { for: 'attachment', class: 'button button--second' }, t().attachPick)), said);
}

// ---- camera ----

let looking;

function stopCamera() {
  looking?.abort();
  looking = undefined;
  $('viewer').hidden = true;
  $('start').hidden = false;
}

async function useCamera() {
  looking = new AbortController();
  const { signal } = looking;
  $('start').hidden = true;
  $('viewer').hidden = false;
  $('aim').textContent = t().aim;
  $('stop').focus();
  let code;
  try {
    code = await scanCamera($('video'), signal, () => { $('aim').textContent = t().qrSeen; });
  } catch {
    stopCamera();
    state.note = { good: false, text: 'noCamera' };
    return showResult();
  }
  if (!code) return undefined;
  stopCamera();
  state.note = undefined;
  state.found = undefined;
  state.again = () => judgeCode(code);
  return busy(judgeAgain);
}

// ---- beginning ----

function listen() {
  $('file').addEventListener('change', () => {
    const [file] = $('file').files;
    $('file').value = '';
    if (file) busy(() => take(file));
  });
  $('camera').addEventListener('click', useCamera);
  $('stop').addEventListener('click', () => {
    stopCamera();
    $('camera').focus();
  });
  $('language').addEventListener('click', () => {
    state.lang = state.lang === 'en' ? 'zh-Hant' : 'en';
    show();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) busy(() => take(file));
  });
}

async function begin() {
  if (!navigator.language.startsWith('zh')) state.lang = 'en';
  $('start').hidden = !navigator.mediaDevices?.getUserMedia;
  const text = carried('trust');
  if (text) state.trust = await readTrust(text).catch(() => undefined);
  if (state.trust) await takeCarriedList();
  listen();
  show();
  document.documentElement.classList.add('ready');
  prepare().catch(() => {});
}

begin();

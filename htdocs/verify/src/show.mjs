// A verdict as a piece of the page.
import { fill } from './texts.mjs';

const TONES = {
  genuine: 'good', plain: 'warn', expired: 'warn', early: 'warn', superseded: 'warn', revoked: 'bad', altered: 'bad', damaged: 'bad',
  unknown: 'bad', unsigned: 'bad', other: 'none', qr: 'none', unreadable: 'none', unusable: 'none',
};
const MARKS = { good: '✓', warn: '!', bad: '✕', none: '?' };
const KINDS = { 'fwpermit-permit/1': 'kindPermit', 'fwpermit-filing/1': 'kindFiling', 'fwpermit-receipt/1': 'kindReceipt' };

// An element: attributes, then children; a text is a text, never markup.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value);
  element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return element;
}

export function moment(time, lang) {
  if (!Number.isFinite(time)) return '–';
  return new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : 'zh-Hant-TW', {
    timeZone: 'Asia/Taipei', year: 'numeric', month: lang === 'en' ? 'short' : 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  }).format(time);
}

const row = (label, value, big) => (value === undefined || value === '' ? '' : h('div', { class: 'data__row' }, h('dt', {}, label), h('dd', big ? { class: 'fact' } : {}, value)));

function nation(code, t) {
  return t.nations[code] ? `${code} ${t.nations[code]}` : code;
}

function permitRows(p, t) {
  return [
    row(t.name, p.name, true), row(t.no, p.no && h('span', { class: 'code' }, p.no), true), row(t.nationality, p.nationality && nation(p.nationality, t), true),
    row(t.birth, p.birth, true), row(t.sex, { M: t.sexM, F: t.sexF }[p.sex] ?? p.sex), row(t.passport, p.passport && h('span', { class: 'code' }, p.passport)),
    row(t.validFrom, p.validFrom, true), row(t.validTo, p.validTo, true),
    p.lines ? row(t.mrz, h('pre', { class: 'mrz', tabindex: '0', 'aria-label': t.mrz }, p.lines.join('\n'))) : '',
  ];
}

const plainValue = (value) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));
const size = (n) => (n < 1024 ? `${n} B` : `${(n / 1024).toFixed(0)} KB`);

function filingRows(s, t, lang) {
  return [
    row(t.caseNo, h('span', { class: 'code' }, s.case_no), true), row(t.filed, moment(Date.parse(s.filed), lang), true), row(t.service, s.service),
    row(t.files, h('ul', { class: 'files' }, s.files.map((f) => h('li', {}, `${f.name} (${f.field}, ${size(f.size)})`, h('span', { class: 'hash' }, f.sha256))))),
    row(t.data, h('dl', { class: 'data' }, Object.entries(s.data).map(([key, value]) => row(key, plainValue(value))))),
  ];
}

const receiptRows = (s, t, lang) => [
  row(t.receiptNo, h('span', { class: 'code' }, s.no), true), row(t.amount, `NT$ ${s.amount}`, true),
  row(t.paid, moment(Date.parse(s.paid), lang), true), row(t.order, s.order_no), row(t.cases, s.cases.join(', ')),
];

const fromStatement = (s) => ({ name: s.name, no: s.no, nationality: s.nationality, birth: s.birth, sex: s.sex, passport: s.passport_no, validFrom: s.valid_from, validTo: s.valid_to });

function rows(found, t, lang) {
  const { statement, permit } = found;
  if (permit) return permitRows(permit, t);
  if (statement?.format === 'fwpermit-permit/1') return permitRows(fromStatement(statement), t);
  if (statement?.format === 'fwpermit-filing/1') return filingRows(statement, t, lang);
  return statement ? receiptRows(statement, t, lang) : [];
}

function listNote(found, t, dates) {
  const warning = { old: 'warnOld', none: 'warnNone', clock: 'warnClock' }[found.list];
  if (warning) return h('p', { class: 'warning' }, h('span', { class: 'warning__mark', 'aria-hidden': 'true' }, '!'), h('span', {}, fill(t[warning], dates)));
  return found.list ? h('p', { class: 'fine' }, fill(t.checkedList, dates)) : '';
}

const isPermit = (found) => !!found.permit || found.statement?.format === 'fwpermit-permit/1';

function words(found, t) {
  const name = found.verdict === 'genuine' && !isPermit(found) ? 'genuinePaper' : found.verdict;
  return [t[name], fill(found.text ? t[found.text] : t[`${name}Text`], found)];
}

// {verdict, …} of judge.mjs, with the name of the file and, where they matter, the dates of the revocation list.
export function showVerdict(found, t, lang, dates) {
  const tone = TONES[found.verdict], [word, text] = words(found, t);
  const kind = t[found.permit ? 'kindSeal' : KINDS[found.statement?.format] ?? { seal: 'kindCode', pdf: 'kindPdf' }[found.what]];
  const sound = tone === 'good' || tone === 'warn' || found.verdict === 'revoked';
  return h('section', { class: `verdict verdict--${tone}`, 'aria-labelledby': 'verdict' },
    kind ? h('p', { class: 'verdict__kind' }, kind, found.file ? h('span', { class: 'verdict__file' }, found.file) : '') : found.file ? h('p', { class: 'verdict__kind' }, found.file) : '',
    h('h2', { id: 'verdict', class: 'verdict__word', tabindex: '-1' }, h('span', { class: 'verdict__mark', 'aria-hidden': 'true' }, MARKS[tone]), word),
    h('p', { class: 'verdict__text' }, text),
    found.verdict === 'unreadable' ? h('ul', { class: 'bullets' }, t.advice.map((line) => h('li', {}, line))) : '',
    listNote(found, t, dates),
    sound ? h('dl', { class: 'data' }, rows(found, t, lang), row(t.signer, found.signer), row(t.signed, typeof found.signed === 'number' ? moment(found.signed, lang) : found.signed)) : '',
    sound && isPermit(found) ? h('p', { class: 'compare' }, t.compare) : '');
}

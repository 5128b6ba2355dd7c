// What the labour agency says of the letter that the form names: told beside its field, looked for while it is awaited, and filled in
// where it answers for what was typed here.
import { make } from './ask.js';

const first = 1500, most = 15000;

// `fill` asks the server for what is empty in the form.
export function letters(fill) {
  let block = document.querySelector('[data-letter]');
  let last = block?.dataset.known ?? '', timer = 0, pause = first;

  function place(letter) {
    if (block) return;
    block = make('div', { class: 'asking' }, make('div', { 'data-letter-said': true, role: 'status' }));
    document.getElementById(`f-${letter.field}`)?.after(block);
  }

  function tell(letter) {
    const said = block.querySelector('[data-letter-said]');
    const text = [make('span', { class: 'code' }, letter.letter_no), ' ',
      make('strong', { class: `tag tag--${letter.state.tone} mark mark--${letter.state.code}` }, letter.state.label), ' ',
      make('span', { class: 'sub' }, letter.text), ...(letter.link ? [make('p', {}, letter.link.text)] : [])];
    if (said.textContent !== text.map((t) => t.textContent ?? t).join('')) said.replaceChildren(...text);
    block.querySelector('.linknote')?.remove();
    for (const [name, stays] of [['_ask', letter.can_ask], ['_fill', letter.fills], ['_go', letter.waits]])
      if (!stays) block.querySelector(`[name="${name}"]`)?.remove();
  }

  function look(href) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const answer = document.hidden ? null
        : await fetch(`${href}.json`, { headers: { Accept: 'application/json' } }).catch(() => null);
      const { letter } = answer?.ok ? await answer.json() : {};
      pause = Math.min(pause * 1.5, most);
      if (letter) show(letter);
      else look(href);
    }, pause);
  }

  function show(letter) {
    clearTimeout(timer);
    if (!letter) {
      block?.remove();
      block = null;
      return;
    }
    const known = `${letter.letter_no} ${letter.state.code}`;
    place(letter);
    tell(letter);
    if (letter.waits) look(letter.href);
    else pause = first;
    if (known !== last && letter.fills) fill();
    last = known;
  }

  if (block && 'waits' in block.dataset) look(block.dataset.letter);
  return show;
}

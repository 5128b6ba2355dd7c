// Shows the state anew every so often, unless somebody is about to do something with it.
const pause = Number(document.querySelector('[data-refresh]').dataset.refresh) * 1000;

function look() {
  const busy = document.hidden || document.querySelector('details[open]') || document.activeElement?.matches('input, button');
  if (busy) setTimeout(look, pause);
  else location.reload();
}
setTimeout(look, pause);

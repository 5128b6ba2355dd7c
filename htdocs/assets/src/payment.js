// Looks whether the payment went on, and shows the page anew where it did.
const main = document.querySelector('[data-payment]');
const quick = 1500, slow = 10000;
const pause = { wanted: quick, begun: slow, code: slow }[main.dataset.state];

async function look() {
  if (!document.hidden) {
    const answer = await fetch(main.dataset.payment).catch(() => null);
    const now = answer?.ok ? (await answer.json()).state.code : main.dataset.state;
    if (now !== main.dataset.state) return location.replace(location.href);
  }
  setTimeout(look, pause);
}
if (pause) setTimeout(look, pause);

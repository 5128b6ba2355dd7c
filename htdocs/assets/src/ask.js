// Requests to the server, as docs/integrators/pages.md tells them.
const token = document.querySelector('meta[name="csrf"]');

export const requestId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

export const csrf = () => token.content;

// The token of a session that was begun in another window; false where nobody is logged in.
export async function renewToken() {
  const answer = await fetch('/session.json', { headers: { Accept: 'application/json' } });
  const fresh = answer.ok ? (await answer.json()).csrf : null;
  if (!fresh) return false;
  token.content = fresh;
  for (const input of document.querySelectorAll('input[name="_csrf"]')) input.value = fresh;
  return true;
}

// {status, body}; status 0: no answer came. The same id asks for the same answer again.
export async function post(href, fields, { id = requestId(), keepalive = false } = {}) {
  const send = () => fetch(href, {
    method: 'POST', keepalive, redirect: 'manual', body: JSON.stringify(fields),
    headers: {
      Accept: 'application/json', 'Content-Type': 'application/json',
      'X-CSRF-Token': csrf(), 'Idempotency-Key': id,
    },
  });
  try {
    let answer = await send();
    if (answer.status === 403 && await renewToken()) answer = await send();
    return { status: answer.status, body: await answer.json().catch(() => ({})) };
  } catch {
    return { status: 0, body: {} };
  }
}

export const reasons = (body) =>
  (body.errors ?? []).map((e) => e.reason).filter(Boolean).concat(body.errors?.length ? [] : body.detail ?? []);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
  element.append(...children);
  return element;
}

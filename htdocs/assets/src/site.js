// What every page does beyond what it does without a script.
const { body, documentElement: root } = document;
root.classList.add('js');
body.classList.add('js-enabled', 'govuk-frontend-supported');

const summary = document.querySelector('[data-module="govuk-error-summary"]');
if (summary) {
  const { ErrorSummary } = await import('./govuk/components/error-summary/error-summary.js');
  new ErrorSummary(summary);
}

// A second click sends nothing.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post' || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = '1';
});
addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

for (const button of document.querySelectorAll('[data-pw]')) {
  const input = document.getElementById(button.getAttribute('aria-controls'));
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  });
  input.form.addEventListener('submit', () => { input.type = 'password'; });
}

for (const login of document.querySelectorAll('.demo__login')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'linklike demo__login';
  button.textContent = login.textContent;
  button.addEventListener('click', () => {
    document.getElementById('f-login').value = login.textContent;
    const password = document.getElementById('f-password');
    password.value = document.querySelector('.demo code').textContent;
    password.form.querySelector('button:not([type="button"])').focus();
  });
  login.replaceWith(button);
}

const page = body.dataset.page;
if (page) await import(`./${page}.js`);
root.classList.add('ready');

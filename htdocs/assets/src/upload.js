// Files: chosen or dropped, sent with progress, listed, removed.
import { csrf, make, post, reasons, requestId } from './ask.js';

const say = (text, n) => text.replace('%1', n);

function send(href, file, name, progress) {
  const data = new FormData();
  data.append('_csrf', csrf());
  data.append('_request', requestId());
  data.append('file', file, name);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', href);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('X-CSRF-Token', csrf());
    request.responseType = 'json';
    request.upload.onprogress = (e) => {
      if (e.lengthComputable) progress.value = (100 * e.loaded) / e.total;
    };
    request.onloadend = () => resolve({ status: request.status, body: request.response ?? {} });
    request.send(data);
  });
}

function line(file, words) {
  const remove = make('button', { class: 'linklike file__remove', form: 'remove', formaction: file.remove }, words.remove,
    make('span', { class: 'govuk-visually-hidden' }, ` ${file.name}`));
  return make('li', { class: 'file', 'data-file': file.id },
    file.is_image
      ? make('img', { class: 'file__thumb', src: file.href, alt: '', width: 56, height: 72 })
      : make('span', { class: 'file__kind', 'aria-hidden': 'true' }, 'PDF'),
    make('span', { class: 'file__text' }, make('a', { href: file.href }, file.name), ' ',
      make('span', { class: 'file__size' }, file.size),
      ...(file.is_pending ? [' ', make('span', { class: 'chip' }, words.pending)] : [])),
    remove);
}

function slot(place, words, form) {
  const input = place.querySelector('input[type="file"]');
  const said = place.querySelector('[data-said]');
  const list = place.querySelector('[data-files]');
  const many = Number(place.dataset.maxFiles) > 1;

  function bad(texts, ...more) {
    said.replaceChildren(make('div', { class: 'upload__bad' },
      texts.length > 1 ? make('ul', {}, ...texts.map((t) => make('li', {}, t))) : texts[0] ?? words.failed), ...more);
  }

  function refused(body) {
    const more = [];
    if (body.preview && 'photo' in place.dataset) {
      const bytes = Uint8Array.from(atob(body.preview), (c) => c.charCodeAt(0));
      const file = new File([bytes], 'photo.jpg', { type: 'image/jpeg' });
      const again = make('button', { type: 'button', class: 'govuk-button govuk-button--secondary small' }, words.cropAgain);
      again.addEventListener('click', () => take(file));
      more.push(make('div', { class: 'upload__preview' },
        make('img', { src: URL.createObjectURL(file), alt: '' }), again));
    }
    bad(reasons(body), ...more);
  }

  async function upload(file, name) {
    const progress = make('progress', { max: 100, value: 0, 'aria-label': `${words.uploading} ${name}` });
    said.replaceChildren(`${words.uploading} ${name} `, progress);
    await form.saved();
    const { status, body } = await send(place.dataset.upload, file, name, progress);
    if (status === 401) return form.loggedOut();
    if (status !== 200) return status ? refused(body) : bad([words.failed]);
    if (!many) list.replaceChildren();
    list.append(line(body.file, words));
    said.replaceChildren(make('span', { class: 'same' }, words.uploaded));
    const field = place.closest('[data-field]');
    form.refused(field, field.dataset.field, null);
    form.took(body.version ?? body.case?.version);
  }

  async function take(file) {
    const most = Number(place.dataset.max);
    let blob = file;
    if ('photo' in place.dataset && /^image\/(jpeg|png|webp|bmp)$/.test(file.type)) {
      const { crop } = await import('./crop.js');
      blob = await crop(file);
    }
    input.value = '';
    if (!blob) return;
    if (most && blob.size > most) return bad([say(words.tooLarge, Math.floor(most / 1048576))]);
    await upload(blob, blob === file ? file.name : file.name.replace(/\.\w+$/, '.jpg'));
  }

  input.multiple = many;
  input.addEventListener('change', async () => {
    for (const file of [...input.files]) await take(file);
  });
  place.addEventListener('dragover', (event) => {
    event.preventDefault();
    place.classList.add('is-over');
  });
  place.addEventListener('dragleave', () => place.classList.remove('is-over'));
  place.addEventListener('drop', async (event) => {
    event.preventDefault();
    place.classList.remove('is-over');
    for (const file of [...event.dataTransfer.files].slice(0, many ? 9 : 1)) await take(file);
  });
}

export function uploads(words, form) {
  for (const place of document.querySelectorAll('[data-upload]'))
    if (place.querySelector('input[type="file"]')) slot(place, words, form);

  document.getElementById('remove')?.addEventListener('submit', async (event) => {
    const button = event.submitter;
    event.preventDefault();
    delete event.target.dataset.sent;
    const place = button.closest('[data-upload]');
    await form.saved();
    const { status, body } = await post(button.getAttribute('formaction'), {});
    if (status === 401) return form.loggedOut();
    const said = place.querySelector('[data-said]');
    if (status !== 200) return said.replaceChildren(make('div', { class: 'upload__bad' }, reasons(body)[0] ?? words.failed));
    button.closest('li').remove();
    said.replaceChildren(words.removed);
    form.took(body.case?.version);
    place.querySelector('input[type="file"]')?.focus();
  });
}

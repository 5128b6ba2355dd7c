// Builds what a browser loads: node htdocs/assets/build.mjs OUT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'sass';
import { verifyPage } from '../verify/build.mjs';

const src = join(dirname(fileURLToPath(import.meta.url)), 'src');
const modules = join(src, '../../../node_modules');
const govuk = join(modules, 'govuk-frontend/dist/govuk');
const out = process.argv[2];

function keep(name, text) {
  const path = join(out, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

// A module of govuk-frontend and all that it imports, as .js: not every server knows .mjs.
function keepModule(name, done = new Set()) {
  if (done.has(name)) return;
  done.add(name);
  const text = readFileSync(join(govuk, name), 'utf8');
  for (const [, from] of text.matchAll(/from '(\.[^']+\.mjs)'/g))
    keepModule(relative(govuk, join(govuk, dirname(name), from)), done);
  keep(join('govuk', name.replace(/\.mjs$/, '.js')),
    text.replace(/(from '\.[^']+)\.mjs'/g, "$1.js'").replace(/^\/\/# sourceMappingURL.*$/gm, ''));
}

if (!out) throw new Error('usage: build.mjs OUT');
keep('site.css', compile(join(src, 'site.scss'), {
  style: 'compressed', loadPaths: [modules], quietDeps: true, charset: false,
}).css);
for (const name of readdirSync(src))
  if (/\.(js|svg)$/.test(name)) keep(name, readFileSync(join(src, name)));
keep('cropper.js', readFileSync(join(modules, 'cropperjs/dist/cropper.esm.min.js')));
keepModule('components/error-summary/error-summary.mjs');
keep('verify.html', await verifyPage());

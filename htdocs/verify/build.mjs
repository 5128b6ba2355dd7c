// The page that verifies without a network, as one text: its style, its script, and the reader of square codes, packed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rollup } from '@rollup/wasm-node';
import { compile } from 'sass';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, '../../node_modules');
const reader = join(modules, 'zxing-wasm/dist/reader/zxing_reader.wasm');

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// Nothing may be fetched: no source is named but what stands in the file, and a camera's picture.
const policy = (style, script) => [
  "default-src 'none'", `script-src ${hash(script)} 'wasm-unsafe-eval'`, `style-src ${hash(style)}`,
  'img-src data: blob:', 'media-src blob: mediastream:', "connect-src 'none'", "base-uri 'none'", "form-action 'none'",
].join('; ');

// The reader would know an address to fetch itself from; the page gives it the bytes, and names no host at all.
const noHosts = (text) => text.replaceAll(/https:\/\/[a-z]+\.jsdelivr\.net\/[^`"']*/g, '');

const library = {
  resolveId: (name) => (name === 'zxing-wasm/reader' ? join(modules, 'zxing-wasm/dist/es/reader/index.js') : null),
};

async function bundle() {
  const whole = await rollup({ input: join(here, 'src/page.mjs'), plugins: [library] });
  const { output } = await whole.generate({ format: 'iife', compact: true });
  return noHosts(output[0].code.trim());
}

export async function verifyPage() {
  const script = await bundle();
  const style = compile(join(here, 'verify.scss'), { style: 'compressed', charset: false }).css;
  if (/<\/(script|style)|@@FWPERMIT/i.test(script + style)) throw new Error('verify.html: its script or style would end too early');
  const parts = {
    POLICY: policy(style, script), STYLE: style, SCRIPT: script,
    ICON: readFileSync(join(here, '../assets/src/icon.svg')).toString('base64'),
    READER: gzipSync(readFileSync(reader), { level: 9 }).toString('base64'),
  };
  return readFileSync(join(here, 'verify.html'), 'utf8').replace(/%([A-Z]+)%/g, (all, name) => parts[name]);
}

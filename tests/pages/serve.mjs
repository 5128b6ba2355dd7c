// The filled pages with the assets beside them, under the headers of the real server.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const policy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const here = dirname(fileURLToPath(import.meta.url));

// answers(request, body) may answer first: {status, json}; null leaves it to the files.
export async function serve(build, answers = () => null) {
  const find = (path) =>
    path.startsWith('/assets/') ? join(build, 'assets', path.split('/').slice(3).join('/'))
      : path.startsWith('/samples/') ? join(here, path)
        : join(build, 'pages/html', `${path}.html`);
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece.toString('latin1');
    const own = answers(request, body);
    if (own) {
      response.writeHead(own.status, { 'Content-Type': 'application/json' });
      return response.end(JSON.stringify(own.json ?? {}));
    }
    const path = find(normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)));
    try {
      const bytes = await readFile(path);
      const asset = path.includes('/assets/');
      response.writeHead(200, {
        'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Content-Security-Policy': policy,
        'Content-Encoding': 'gzip', 'Cache-Control': asset ? 'max-age=31536000, immutable' : 'no-store',
      });
      response.end(gzipSync(bytes));
    } catch {
      response.writeHead(404, { 'Content-Type': 'text/html' }).end('<title>Not there</title>');
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { base: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

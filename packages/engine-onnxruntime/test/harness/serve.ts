import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const ortFolder = fileURLToPath(new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url));

export interface Served {
  readonly url: string;
  close(): void;
}

/** A page that runs `page.js` of a folder, isolated from other origins so that WebAssembly gets threads. */
export async function servePage(folder: string): Promise<Served> {
  const find = async (path: string): Promise<Buffer | string> => {
    if (path === '/') return '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
    const name = basename(path);
    return readFile(join(folder, name)).catch(() => readFile(join(ortFolder, name)));
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const headers = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
    find(path).then(
      (body) => response.writeHead(200, { ...headers, 'content-type': TYPES[extname(path)] ?? 'text/html' }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => void server.close() };
}

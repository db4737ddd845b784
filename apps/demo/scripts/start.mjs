// Builds the page and serves it, for `npm run demo`. `--dev` serves the sources and reloads on changes; `--port N` and `--host` are Vite's.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, createServer, preview } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { dev: { type: 'boolean' }, port: { type: 'string' }, host: { type: 'boolean' }, open: { type: 'boolean' } } });
const listen = { ...(values.port !== undefined && { port: Number(values.port), strictPort: true }), ...(values.host && { host: true }), ...(values.open && { open: true }) };
const shared = { root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' };

if (values.dev) {
  const server = await createServer({ ...shared, server: listen });
  await server.listen();
  announce(server);
} else {
  await build(shared);
  announce(await preview({ ...shared, preview: listen }));
}

function announce({ resolvedUrls }) {
  for (const url of [...(resolvedUrls?.local ?? []), ...(resolvedUrls?.network ?? [])]) console.log(`[demo] open ${url}`);
  console.log('[demo] threads need a secure address: localhost or https. Ctrl+C ends the server.');
}

// Builds the page and serves it, for `npm run demo`.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, createServer, preview } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const HELP = `Usage: npm run demo -- [options]

Builds the page that shows and trains 3D Gaussians, serves it, and prints its address.

  --dev     serve the sources and follow changes, without a build
  --port n  the port, 1 to 65535 (default: 4173 or the next that is free; 5173 with --dev)
  --host    let other devices in
  --open    open a browser
  --help    this text
`;
const OPTIONS = {
  dev: { type: 'boolean' },
  port: { type: 'string' },
  host: { type: 'boolean' },
  open: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};

const values = read();
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const listen = {
  ...(values.port !== undefined && { port: portOf(values.port), strictPort: true }),
  ...(values.host && { host: true }),
  ...(values.open && { open: true }),
};
const shared = { root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' };

if (!values.dev) await build(shared);
const serve = async () =>
  values.dev ? (await createServer({ ...shared, server: listen })).listen() : preview({ ...shared, preview: listen });
announce(
  await serve().catch((error) => {
    console.error(`[demo/start] the server did not start: ${error.message}. Choose another port with --port.`);
    process.exit(1);
  }),
);

function announce({ resolvedUrls }) {
  for (const url of [...(resolvedUrls?.local ?? []), ...(resolvedUrls?.network ?? [])]) console.log(`[demo] open ${url}`);
  console.log('[demo] threads need a secure address: localhost or https. Ctrl+C ends the server.');
}

function read() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return refuse(`${error.message.split('. ')[0]}.`);
  }
}

function portOf(text) {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65_535
    ? port
    : refuse(`the port is not one: port=${text}. Pass an integer from 1 to 65535.`);
}

function refuse(text) {
  console.error(`[demo/start] ${text}\n\n${HELP}`);
  process.exit(2);
}

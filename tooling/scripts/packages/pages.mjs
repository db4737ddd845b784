// Pages of users: a bundle by esbuild, which copies no wasm, and one by Vite, which copies what it sees; in a browser, from the packed
// packages.
import { build as esbuild } from 'esbuild';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { build as vite } from 'vite';

const EXECUTABLE = '/usr/bin/chromium';
const TIMEOUT_MS = 60_000;
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const HTML = '<!doctype html><link rel="icon" href="data:,"><title>A page</title><script type="module" src="./main.js"></script>';

/** What the project of the pages installs beside our packages. */
export const PAGE_PACKAGES = [
  '@langevin/engine-onnxruntime',
  '@langevin/engine-tfjs',
  '@langevin/tensor',
  'onnxruntime-web',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
];

/** One program for all pages; the address says which case it runs. It leaves `{ value }` or `{ kind, error }`, and what was warned of. */
const program = (wasm) => `import { add, errorKind, item, setDefaultEngine, tensor } from '@langevin/tensor';
${wasm.imports}
const warnings = [];
console.warn = (...texts) => void warnings.push(texts.join(' '));

const onnxruntime = async (options) => {
  const { onnxruntimeEngine } = await import('@langevin/engine-onnxruntime');
  setDefaultEngine(await onnxruntimeEngine({ device: 'wasm', ...options }));
};
const tfjs = async (options) => {
  const { tfjsEngine } = await import('@langevin/engine-tfjs');
  setDefaultEngine(await tfjsEngine(options));
};
const cases = {
  'no-engine': () => undefined,
  onnxruntime: () => onnxruntime({}),
  'onnxruntime-paths': () => onnxruntime({ wasmPaths: ${wasm.onnxruntime} }),
  'tfjs-paths': () => tfjs({ backend: 'wasm', wasmPaths: ${wasm.tfjs} }),
  'tfjs-lost': () => tfjs({ backend: 'wasm' }),
  'tfjs-any': () => tfjs({}),
};
try {
  await cases[location.hash.slice(1)]();
  window.result = { value: await item(add(tensor(1), 2)), warnings };
} catch (error) {
  window.result = { kind: errorKind(error), error: String(error), warnings };
}
`;

const TFJS_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];

/** As docs/bundlers.md tells it: folders that the server serves, or addresses that Vite gives to what it copies. */
const BUNDLERS = {
  esbuild: {
    program: program({ imports: '', onnxruntime: "'/onnxruntime/'", tfjs: "'/tfjs/'" }),
    served: { '/onnxruntime/': 'node_modules/onnxruntime-web/dist', '/tfjs/': 'node_modules/@tensorflow/tfjs-backend-wasm/dist' },
    build: (folder, out) =>
      esbuild({
        entryPoints: [join(folder, 'main.js')],
        bundle: true,
        splitting: true,
        format: 'esm',
        target: 'es2022',
        outdir: out,
        logLevel: 'silent',
      }),
  },
  vite: {
    program: program({
      imports: [...TFJS_FILES.map((file, i) => `import tfjs${i} from '@tensorflow/tfjs-backend-wasm/dist/${file}?url';`)].join('\n'),
      onnxruntime: 'undefined',
      tfjs: `{ ${TFJS_FILES.map((file, i) => `'${file}': tfjs${i}`).join(', ')} }`,
    }),
    served: {},
    build: (folder, outDir) =>
      vite({ root: folder, configFile: false, logLevel: 'silent', build: { outDir, emptyOutDir: true, minify: false, target: 'es2022' } }),
  },
};

const works = ({ value, error }) => (value === 3 ? undefined : `gave ${value ?? error}`);
const worksAndTells = (word) => (result) =>
  works(result)
  ?? (result.warnings.some((text) => text.includes(word)) ? undefined : `did not say why: ${JSON.stringify(result.warnings)}`);

/** An error of the user's, that names what to do and nothing that does not help here. */
const refuses =
  ({ kinds, names, not = /$^/u }) =>
  ({ value, kind, error }) => {
    if (error === undefined) return `gave ${value}, and ought to have been refused`;
    if (!kinds.includes(kind)) return `was refused as ${kind}: ${error}`;
    const unsaid = names.filter((name) => !error.includes(name));
    if (unsaid.length > 0) return `the error does not say ${unsaid.join(', ')}: ${error}`;
    return not.test(error) ? `the error gives advice that is wrong in a page: ${error}` : undefined;
  };

const EXPECTED = {
  esbuild: {
    'no-engine': refuses({ kinds: ['user'], names: ['setDefaultEngine'], not: /npm install|is installed/u }),
    onnxruntime: refuses({ kinds: ['user', 'unsupported'], names: ['wasmPaths'] }),
    'onnxruntime-paths': works,
    'tfjs-paths': works,
    'tfjs-lost': refuses({ kinds: ['user', 'unsupported'], names: ['wasmPaths'] }),
    'tfjs-any': worksAndTells('wasm'),
  },
  vite: {
    'no-engine': refuses({ kinds: ['user'], names: ['setDefaultEngine'], not: /npm install|is installed/u }),
    onnxruntime: works,
    'tfjs-paths': works,
    'tfjs-lost': refuses({ kinds: ['user', 'unsupported'], names: ['wasmPaths'] }),
    'tfjs-any': worksAndTells('wasm'),
  },
};

/**
 * @param {{ dir: string }} project where {@link PAGE_PACKAGES} are installed
 * @returns {Promise<{ faults: string[], skipped?: string }>}
 */
export async function pageFaults(project) {
  if (!existsSync(EXECUTABLE))
    return { faults: [], skipped: `no browser at ${EXECUTABLE}, so no page was tried. Install Debian's package "chromium".` };
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
  try {
    const faults = await Promise.all(Object.keys(BUNDLERS).map((name) => bundlerFaults(name, project, browser)));
    return { faults: faults.flat() };
  } finally {
    await browser.close();
  }
}

async function bundlerFaults(name, project, browser) {
  const bundler = BUNDLERS[name];
  const folder = join(project.dir, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), HTML);
  writeFileSync(join(folder, 'main.js'), bundler.program);
  const out = join(folder, 'out');
  try {
    await bundler.build(folder, out);
  } catch (error) {
    return [`pages/${name}: the bundle was not built: ${error.message}`];
  }
  if (!existsSync(join(out, 'index.html'))) writeFileSync(join(out, 'index.html'), HTML);
  const server = await serve({
    '/': out,
    ...Object.fromEntries(Object.entries(bundler.served).map(([at, path]) => [at, join(project.dir, path)])),
  });
  const faults = [];
  try {
    for (const [each, judge] of Object.entries(EXPECTED[name])) {
      const fault = judge(await visit(browser, `${server.url}/#${each}`));
      if (fault !== undefined) faults.push(`pages/${name}/${each}: ${fault}`);
    }
  } finally {
    server.close();
  }
  return faults;
}

async function visit(browser, url) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction('window.result !== undefined', undefined, { timeout: TIMEOUT_MS });
    return await page.evaluate('window.result');
  } catch (error) {
    return { kind: 'none', error: `the page did not end: ${error.message}`, warnings: [] };
  } finally {
    await page.close();
  }
}

/** Folders by the beginning of the path; what is not there is not there, and no page of "index.html" in its place. */
async function serve(folders) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const at = Object.keys(folders)
      .filter((each) => path.startsWith(each))
      .sort((a, b) => b.length - a.length)[0];
    const file = join(folders[at], path === '/' ? 'index.html' : path.slice(at.length));
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { writeSafetensors } from '@langevin/io/node';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { COMMIT, serveHub, type Fault } from './hub-server.ts';
import { scratch } from './scratch.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Inside the package, so that the packages it leaves out are found. */
const PROGRAM = here('../../node_modules/.langevin-test/hub-child.mjs');
const WEIGHTS = 'unet/diffusion_pytorch_model.safetensors';

beforeAll(async () => {
  mkdirSync(here('../../node_modules/.langevin-test'), { recursive: true });
  await build({
    entryPoints: [here('hub-child.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@langevin/source'],
    external: ['onnxruntime-node', 'onnxruntime-web', 'sharp', '@huggingface/hub'],
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'error',
  });
}, 120_000);

/** Run the program; with `kill`, end it without a warning once it has said that line. */
function start(args: readonly string[], kill?: string): Promise<{ readonly said: readonly string[]; readonly errors: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  let errors = '';
  child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
  createInterface(child.stdout).on('line', (line) => {
    said.push(line);
    if (line === kill) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve({ said, errors }));
  });
}

async function model(): Promise<string> {
  const folder = join(await scratch(), 'model');
  await mkdir(join(folder, 'unet'), { recursive: true });
  await writeFile(join(folder, 'unet/config.json'), '{"_class_name":"UNet2DModel"}');
  const data = Float32Array.from({ length: 500_000 }, (_, i) => i);
  await writeSafetensors(join(folder, WEIGHTS), { weight: { dtype: 'float32', shape: [data.length], data } });
  return folder;
}

it('two processes at once download each file once, and one that is killed in a file is gone on from', async () => {
  const folder = await model();
  const bytes = await readFile(join(folder, WEIGHTS));
  let slow = true;
  // The first answer stops half-way and stays open, until whoever asked is gone.
  const fault: Fault = (request, response) => {
    if (!slow || !request.url!.startsWith('/store/')) return false;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1_000_000));
    return true;
  };
  const { endpoint, asked, fetched } = await serveHub(folder, { fault });
  const cache = await scratch();
  const killed = await start([endpoint, cache], WEIGHTS);
  expect(killed.said).not.toContain('done');
  slow = false;
  const ended = await Promise.all([1, 2].map(() => start([endpoint, cache])));
  expect(ended.map(({ said, errors }) => [said.at(-1), errors])).toEqual([1, 2].map(() => ['done', '']));
  // Once by the one that was killed, once by one of the two, from where that was.
  expect(fetched().filter((path) => path === WEIGHTS)).toHaveLength(2);
  expect(asked.filter(({ path }) => path.startsWith('/store/')).at(-1)!.range).toMatch(/^bytes=[1-9]\d*-$/u);
  const repository = join(cache, 'models--owner--tiny');
  expect(await readFile(join(repository, 'snapshots', COMMIT, WEIGHTS))).toEqual(bytes);
  expect((await readdir(join(repository, 'blobs'))).filter((name) => name.includes('incomplete'))).toEqual([]);
}, 180_000);

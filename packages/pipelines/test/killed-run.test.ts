import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { counterGenerator } from '@langevin/tensor';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from './tiny.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Inside the package, so that the packages it leaves out are found. */
const PROGRAM = here('../node_modules/.langevin-test/kill-child.mjs');
const STEPS = 16;
const SEED = 7;

beforeAll(async () => {
  mkdirSync(here('../node_modules/.langevin-test'), { recursive: true });
  await build({
    entryPoints: [here('kill-child.ts')],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@langevin/source'],
    external: ['onnxruntime-node', 'onnxruntime-web', 'sharp'],
    // What CommonJS packages ask for inside of an ES module.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'error',
  });
}, 120_000);

/** Run the program; with `kill`, send SIGKILL so many milliseconds after it has said that line. */
function start(
  folder: string,
  kill?: { readonly after: string; readonly delay: number },
): Promise<{
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly said: readonly string[];
  readonly errors: string;
}> {
  const child = spawn(process.execPath, [PROGRAM, folder, String(STEPS)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  let errors = '';
  child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
  createInterface(child.stdout).on('line', (line) => {
    said.push(line);
    if (line === kill?.after) setTimeout(() => child.kill('SIGKILL'), kill.delay);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, said, errors }));
  });
}

it('killed at three random moments and resumed, a run ends with the bytes of one that nothing happened to', async () => {
  const whole = await temporaryFolder();
  const plain = await start(whole);
  expect(plain, plain.errors).toMatchObject({ code: 0, signal: null });

  const folder = await temporaryFolder();
  const random = counterGenerator({ seed: SEED, stream: [] });
  // Each a while after some step of the next third of the run: within a step, a checkpoint, or between the two.
  const moments = [0, 1, 2].map((third) => ({
    after: `step ${2 + 5 * third + random.integers(1, { low: 0, high: 4 })[0]!}`,
    delay: random.integers(1, { low: 0, high: 25 })[0]!,
  }));
  for (const moment of moments) {
    const killed = await start(folder, moment);
    expect(killed, `${moment.after} + ${moment.delay} ms: ${killed.errors}`).toMatchObject({ code: null, signal: 'SIGKILL' });
  }
  const last = await start(folder);
  expect(last, last.errors).toMatchObject({ code: 0, signal: null });
  expect(last.said[0]).not.toBe('start 0');

  const filesIn = async (root: string): Promise<readonly string[]> => {
    const all = await readdir(root, { recursive: true, withFileTypes: true });
    return all
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  };
  const files = await filesIn(whole);
  expect(await filesIn(folder)).toEqual(files);
  expect(files).toEqual([
    ...['checkpoints/step-00000015.safetensors', 'checkpoints/step-00000016.safetensors', 'config.json', 'data.json', 'evaluations.jsonl'],
    ...[5, 10, 15, 16].map((step) => `evaluations/step-${String(step).padStart(8, '0')}/samples.png`),
    ...['log.jsonl', 'timings.jsonl'],
  ]);
  for (const file of files) {
    if (file !== 'timings.jsonl') expect(await readFile(join(folder, file)), file).toEqual(await readFile(join(whole, file)));
  }
  expect((await readFile(join(whole, 'log.jsonl'), 'utf8')).split('\n').length).toBe(STEPS + 1);
}, 300_000);

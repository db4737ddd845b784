import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { counterGenerator } from '@langevin/tensor';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { buildProgram } from './program.ts';

const STEPS = 20;

let program: string;
beforeAll(async () => {
  program = await buildProgram('kill-child.ts');
}, 120_000);

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-splats-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** All that a run leaves but the times it took. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile() && entry.name !== 'timings.jsonl')
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Run the program; with `kill`, send SIGKILL so many milliseconds after it has said that line. */
function start(
  folder: string,
  strategy: string,
  kill?: { readonly after: string; readonly delay: number },
): Promise<{
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly said: readonly string[];
  readonly errors: string;
}> {
  const child = spawn(process.execPath, [program, folder, String(STEPS), strategy], { stdio: ['ignore', 'pipe', 'pipe'] });
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

// A motion starts an engine as well: killed once.
it.each([
  ['default', [0, 1, 2]],
  ['mcmc', [0, 1, 2]],
  ['mlp', [1]],
] as const)(
  'killed at random moments and resumed, a run with %s ends with the bytes of one that nothing happened to',
  async (strategy, thirds) => {
    const whole = await temporaryFolder();
    const plain = await start(whole, strategy);
    expect(plain, plain.errors).toMatchObject({ code: 0, signal: null });

    const folder = await temporaryFolder();
    const random = counterGenerator({ seed: 7, stream: [] });
    for (const third of thirds) {
      // Within a step, a checkpoint, or between the two.
      const moment = {
        after: `step ${2 + 6 * third + random.integers(1, { low: 0, high: 4 })[0]!}`,
        delay: random.integers(1, { low: 0, high: 4 })[0]!,
      };
      const killed = await start(folder, strategy, moment);
      expect(killed, `${moment.after} + ${moment.delay} ms: ${killed.errors}`).toMatchObject({ code: null, signal: 'SIGKILL' });
    }
    const last = await start(folder, strategy);
    expect(last, last.errors).toMatchObject({ code: 0, signal: null });
    expect(last.said[0]).not.toBe('start 0');

    const files = await filesIn(whole);
    expect(await filesIn(folder)).toEqual(files);
    expect(files.filter((file) => file.includes('held-out') || file.startsWith('checkpoints')).length).toBe(4);
    for (const file of files) expect((await readFile(join(folder, file))).equals(await readFile(join(whole, file))), file).toBe(true);
    expect((await readFile(join(whole, 'log.jsonl'), 'utf8')).split('\n').length).toBe(STEPS + 1);
  },
  300_000,
);

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describeMachine, type Machine } from '../machine.ts';
import { interleave, type Contestant } from '../measure.ts';
import { markdownTable } from '../table.ts';
import { findPython } from '../torch-peer.ts';
import { stableDiffusionCheckpoint } from './checkpoint.ts';

/** What one contestant took. */
export interface PipelineRow {
  readonly name: string;
  /** From the start of the process to the end of the first step of the network. */
  readonly firstStepMs: number;
  readonly stepMs: number;
  readonly decodeMs: number;
  /** The largest resident size after the steps, and after decoding, in bytes. */
  readonly stepBytes: number;
  readonly decodeBytes: number;
}

export interface PipelinesBench {
  readonly machine: Machine;
  readonly threads: number;
  readonly rounds: number;
  readonly torch: string | undefined;
  readonly rows: readonly PipelineRow[];
}

/** A process that answers one line of JSON with another. */
interface Peer {
  readonly name: string;
  readonly firstStepMs: number;
  readonly torch: string | undefined;
  ask(name: string): Promise<Record<string, unknown>>;
  close(): void;
}

/** Libraries of the peers say less. */
const QUIET = { ...process.env, HF_HUB_DISABLE_PROGRESS_BARS: '1', TRANSFORMERS_VERBOSITY: 'error', PYTHONWARNINGS: 'ignore' };

const PEER = fileURLToPath(new URL('../../peers/pipelines_peer.py', import.meta.url));
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Stable Diffusion 1.5 of true size with random weights, ours beside diffusers': from the start of a process to the first step, steps of
 * 512 x 512 pixels with guidance (a batch of two), decoding, memory. Each has a process of its own; they run in turn.
 */
export async function runPipelinesBench({
  root,
  threads,
  rounds,
  report,
}: {
  readonly root: string;
  readonly threads: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}): Promise<PipelinesBench> {
  const home = join(root, 'runs/bench-pipelines');
  mkdirSync(home, { recursive: true });
  report('checkpoint of random weights (2.1 GB, made once)');
  const folder = await stableDiffusionCheckpoint(join(home, 'stable-diffusion'), join(root, 'packages/pipelines/test/golden/tiny-clip'));
  const python = findPython();
  const commands: readonly (readonly [name: string, command: readonly string[]])[] = [
    ['Langevin', [process.execPath, MAIN, 'pipelines-child', folder, '--threads', String(threads)]],
    ...(python === undefined
      ? []
      : (['float32', 'bfloat16'] as const).map(
          (dtype) =>
            [
              dtype === 'float32' ? 'diffusers, float32' : 'diffusers, bfloat16, channels last',
              [python, PEER, folder, String(threads), dtype],
            ] as const,
        )),
  ];
  const peers: Peer[] = [];
  try {
    // One after another, so that nobody's start has another's work beside it; each file has been read once before.
    for (const [name, command] of commands) {
      report(`${name}: first step`);
      peers.push(await start(name, command));
    }
    report('steps');
    const steps = await interleave(peers.map(contestant('step')), { rounds, warmup: 1 });
    const stepBytes = await Promise.all(peers.map(memory));
    report('decoding');
    const decodes = await interleave(peers.map(contestant('decode')), { rounds, warmup: 1 });
    const decodeBytes = await Promise.all(peers.map(memory));
    return {
      machine: describeMachine(),
      threads,
      rounds,
      torch: peers.find(({ torch }) => torch !== undefined)?.torch,
      rows: peers.map(({ name, firstStepMs }, i) => ({
        name,
        firstStepMs,
        stepMs: steps[i]!.medianMs,
        decodeMs: decodes[i]!.medianMs,
        stepBytes: stepBytes[i]!,
        decodeBytes: decodeBytes[i]!,
      })),
    };
  } finally {
    for (const peer of peers) peer.close();
  }
}

async function start(name: string, [command, ...args]: readonly string[]): Promise<Peer> {
  const before = performance.now();
  const child = spawn(command!, args, { stdio: 'pipe', env: QUIET });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(String(chunk)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const receive = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`[bench/pipelines] the process of ${name} ended early: ${said.join('').slice(-2000)}`);
    return JSON.parse(value as string) as Record<string, unknown>;
  };
  const { torch } = await receive();
  return {
    name,
    firstStepMs: performance.now() - before,
    torch: typeof torch === 'string' ? torch : undefined,
    ask: async (what) => {
      child.stdin.write(`${JSON.stringify({ case: what })}\n`);
      return receive();
    },
    close: () => child.kill(),
  };
}

function contestant(what: 'step' | 'decode'): (peer: Peer) => Contestant {
  return ({ name, ask }) => ({ name, run: async () => Number((await ask(what))['ms']) });
}

async function memory({ ask }: Peer): Promise<number> {
  return Number((await ask('memory'))['bytes']);
}

export function pipelinesBenchMarkdown({ machine, threads, rounds, torch, rows }: PipelinesBench): string {
  const [ours] = rows;
  const eager = rows.find(({ name }) => name === 'diffusers, float32');
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(2);
  const verdict = (value: number, holds: boolean): string => `${value.toFixed(2)}, ${holds ? 'met' : '**missed**'}`;
  const targets =
    ours === undefined || eager === undefined
      ? []
      : [
          ['step: eager PyTorch over ours', '>= 1.1', verdict(eager.stepMs / ours.stepMs, eager.stepMs / ours.stepMs >= 1.1)],
          ['decoding: eager PyTorch over ours', '>= 1.1', verdict(eager.decodeMs / ours.decodeMs, eager.decodeMs / ours.decodeMs >= 1.1)],
          [
            'peak memory of steps: ours over eager PyTorch',
            '<= 0.8',
            verdict(ours.stepBytes / eager.stepBytes, ours.stepBytes / eager.stepBytes <= 0.8),
          ],
          [
            'process start to first step: ours over eager PyTorch',
            '<= 0.5',
            verdict(ours.firstStepMs / eager.firstStepMs, ours.firstStepMs / eager.firstStepMs <= 0.5),
          ],
        ];
  return [
    '# Benchmarks of pipelines',
    '',
    'Made by `npm run bench -- pipelines`; do not edit by hand.',
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}, ${threads} threads for each; ${machine.date}. `
      + 'Stable Diffusion 1.5 of true size (859,520,964 parameters in its U-Net) with random weights in float16 on the disk, computed '
      + 'in the dtype that is named, ours in float32. A step is one call of the U-Net for 512x512 pixels under two prompts; decoding is of '
      + `one picture of 512x512. Processes of their own, in turn; medians of ${rounds}. `
      + `${torch === undefined ? 'PyTorch was not found: nobody is compared with.' : `PyTorch ${torch}.`}`,
    '',
    markdownTable(
      ['who', 'start to first step, s', 'step, s', 'decoding, s', 'peak memory of steps, GiB', 'with decoding, GiB'],
      rows.map((row) => [
        row.name,
        seconds(row.firstStepMs),
        seconds(row.stepMs),
        seconds(row.decodeMs),
        gib(row.stepBytes),
        gib(row.decodeBytes),
      ]),
    ),
    '',
    ...(targets.length === 0 ? [] : [markdownTable(['what', 'wanted', 'found'], targets), '']),
    '',
  ].join('\n');
}

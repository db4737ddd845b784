import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { describeMachine, type Machine } from '../machine.ts';
import { interleave, local, type Contestant, type Measurement } from '../measure.ts';
import { markdownTable, ms } from '../table.ts';
import { startTorch } from '../torch-peer.ts';
import { networkCases, operationCases, type Case } from './cases.ts';
import { jaxJs, tfjsWasm } from './js-peers.ts';
import { compileTime, samplerStepOverhead } from './overhead.ts';

export interface CaseResult {
  readonly name: string;
  readonly what: string;
  readonly flops: number | undefined;
  readonly measurements: readonly Measurement[];
}

export interface EngineBenchResult {
  readonly machine: Machine;
  readonly threads: number;
  readonly torch: string | undefined;
  readonly cases: readonly CaseResult[];
  readonly overhead: { readonly compiledMs: number; readonly eagerMs: number; readonly compilations: number };
  readonly compileMs: number;
  /** Bytes of the largest resident size of a process that trains the U-Net for five steps. */
  readonly peakMemory: { readonly langevin: number; readonly torch: number | undefined };
}

export interface EngineBenchOptions {
  /** Counted rounds of the single ops and of the networks. */
  readonly rounds: { readonly operations: number; readonly networks: number };
  readonly threads: number;
  /** Names of cases to run. @default all */
  readonly only?: readonly string[];
  readonly report: (line: string) => void;
}

/** What must hold against PyTorch eager in the same run: its time over ours, at least. */
export const TARGETS: Readonly<Record<string, number>> = { 'unet-train': 1.3, 'dit-train': 1.2, 'unet-forward': 2, 'dit-forward': 1.5 };

export async function runEngineBench(options: EngineBenchOptions): Promise<EngineBenchResult> {
  const { threads, report } = options;
  const torch = await startTorch(threads);
  if (!torch) report('no Python with torch found (LANGEVIN_PYTHON names one): PyTorch is left out');
  const engine = await onnxruntimeEngine({ threads });
  const peers = [await tfjsWasm(), await jaxJs()].filter((peer) => peer !== undefined);
  const cases: CaseResult[] = [];
  const wanted = (entry: Case): boolean => options.only === undefined || options.only.includes(entry.name);
  for (const [list, rounds] of [
    [operationCases, options.rounds.operations],
    [networkCases, options.rounds.networks],
  ] as const) {
    for (const entry of list.filter(wanted)) {
      const contestants: Contestant[] = [local('langevin', await entry.prepare(engine))];
      if (torch) contestants.push(torch.contestant(entry.name));
      for (const peer of peers) {
        const contestant = await peer.contestant(entry.name);
        if (contestant) contestants.push(contestant);
      }
      const measurements = await interleave(contestants, { rounds });
      cases.push({ name: entry.name, what: entry.what, flops: entry.flops, measurements });
      report(`${entry.what}: ${measurements.map(({ name, medianMs }) => `${name} ${ms(medianMs)} ms`).join(', ')}`);
    }
  }
  torch?.close();
  const overhead = await samplerStepOverhead(engine);
  const { ms: compileMs } = await compileTime(engine);
  const peakMemory = { langevin: peakOfLangevin(threads), torch: await peakOfTorch(threads) };
  await engine.dispose();
  return { machine: describeMachine(), threads, torch: torch?.version, cases, overhead, compileMs, peakMemory };
}

/** Five training steps in a process of its own. */
export async function trainForMemory(threads: number): Promise<number> {
  const engine = await onnxruntimeEngine({ threads });
  const step = await networkCases.find(({ name }) => name === 'unet-train')!.prepare(engine);
  for (let i = 0; i < 5; i++) await step();
  return peakResidentBytes();
}

/** Linux counts the parent's size into a child's resource usage, so ask for that of this memory map. */
function peakResidentBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}

function peakOfLangevin(threads: number): number {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const child = spawnSync(process.execPath, [...process.execArgv, main, 'train-for-memory', '--threads', String(threads)], {
    encoding: 'utf8',
  });
  return Number(child.stdout.trim());
}

async function peakOfTorch(threads: number): Promise<number | undefined> {
  const torch = await startTorch(threads);
  if (!torch) return undefined;
  const contestant = torch.contestant('unet-train');
  for (let i = 0; i < 5; i++) await contestant.run();
  const bytes = await torch.peakMemory();
  torch.close();
  return bytes;
}

/** The result as a page. */
export function engineBenchMarkdown(result: EngineBenchResult): string {
  const { machine, cases, overhead, peakMemory } = result;
  const time = (entry: CaseResult, name: string): number | undefined => entry.measurements.find((m) => m.name === name)?.medianMs;
  const cell = (value: number | undefined): string => (value === undefined ? '-' : ms(value));
  const rows = cases.map((entry) => {
    const ours = time(entry, 'langevin')!;
    const torch = time(entry, 'torch');
    const ratio = torch === undefined ? undefined : torch / ours;
    const target = TARGETS[entry.name];
    return [
      entry.what,
      cell(ours),
      entry.flops === undefined ? '-' : (entry.flops / ours / 1e6).toFixed(0),
      cell(torch),
      ratio === undefined ? '-' : ratio.toFixed(2),
      target === undefined ? '-' : `>= ${target}${ratio === undefined ? '' : ratio >= target ? ', met' : ', **missed**'}`,
      cell(time(entry, 'tfjs-wasm')),
      cell(time(entry, 'jax-js')),
    ];
  });
  const trainMs = time(cases.find(({ name }) => name === 'unet-train') ?? cases[0]!, 'langevin') ?? NaN;
  const gib = (bytes: number | undefined): string => (bytes === undefined ? '-' : `${(bytes / 2 ** 20).toFixed(0)} MiB`);
  const memoryRatio = peakMemory.torch === undefined ? undefined : peakMemory.langevin / peakMemory.torch;
  const verdict = (met: boolean): string => (met ? 'met' : '**missed**');
  return [
    '# Engine benchmarks',
    '',
    'Made by `npm run bench -- engine`; do not edit by hand.',
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}, ${result.threads} threads for every `
      + `contestant; ${machine.date}. Contestants run in turn in one session; medians. `
      + `${result.torch ? `PyTorch ${result.torch}, eager.` : 'PyTorch was not found.'} The ratio is PyTorch's time over ours: above `
      + '1, Langevin is faster.',
    '',
    markdownTable(['case', 'ours, ms', 'GFLOP/s', 'PyTorch, ms', 'ratio', 'target', 'tfjs-wasm, ms', 'jax-js, ms'], rows),
    '',
    '| other | value | target |',
    '|---|---:|---|',
    `| cached sampler step with a free denoiser, compiled | ${ms(overhead.compiledMs)} ms | <= 1 ms, `
      + `${verdict(overhead.compiledMs <= 1)} |`,
    `| the same, eager | ${ms(overhead.eagerMs)} ms | <= 1 ms, ${verdict(overhead.eagerMs <= 1)} |`,
    `| that as a share of the U-Net's training step | ${((100 * overhead.compiledMs) / trainMs).toFixed(2)} % | <= 2 %, `
      + `${verdict(overhead.compiledMs / trainMs <= 0.02)} |`,
    `| compilations of those 1,040 steps | ${overhead.compilations} | 2 |`,
    `| trace and compile the U-Net's training step | ${(result.compileMs / 1000).toFixed(2)} s | < 3 s, `
      + `${verdict(result.compileMs < 3000)} |`,
    `| peak memory of the training step | ${gib(peakMemory.langevin)} against ${gib(peakMemory.torch)} | <= 1.2 `
      + `times${memoryRatio === undefined ? '' : `, ${memoryRatio.toFixed(2)}, ${verdict(memoryRatio <= 1.2)}`} |`,
    '',
  ].join('\n');
}

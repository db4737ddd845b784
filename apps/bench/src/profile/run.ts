import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { networkCases, operationCases } from '../engine/cases.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { runsOf, type KernelCall, type TracedRun } from './trace.ts';

/** What kernels of one kind took, per step. */
export interface ProfileRow {
  readonly kind: string;
  readonly calls: number;
  readonly ms: number;
  /** Of the time of the run. */
  readonly share: number;
  /** 0 where floating-point operations are not what the kernel is about. */
  readonly gflop: number;
  readonly writtenMiB: number;
}

export interface CaseProfile {
  readonly name: string;
  readonly what: string;
  readonly steps: number;
  /** Median of a whole step, as the caller sees it, with the profiler on. */
  readonly stepMs: number;
  /** Median inside of the runtime. */
  readonly runMs: number;
  readonly kernels: readonly ProfileRow[];
  readonly graphOps: readonly ProfileRow[];
}

export interface ProfileResult {
  readonly machine: Machine;
  readonly threads: number;
  readonly cases: readonly CaseProfile[];
}

export interface ProfileOptions {
  readonly threads: number;
  /** Steps that count, after three that do not. */
  readonly steps: number;
  /** @default the networks */
  readonly only?: readonly string[] | undefined;
}

/** Storage still grows in the first steps. */
const WARMUP = 3;

/** Run cases with ONNX Runtime's profiler on, each in an engine of its own. */
export async function runProfile({ threads, steps, only }: ProfileOptions): Promise<ProfileResult> {
  const known = [...networkCases, ...operationCases];
  const names = only ?? networkCases.map(({ name }) => name);
  const unknown = names.find((name) => !known.some((entry) => entry.name === name));
  if (unknown !== undefined)
    throw new Error(`[bench/profile] unknown case: case=${unknown}. Known: ${known.map(({ name }) => name).join(', ')}.`);
  const cases: CaseProfile[] = [];
  for (const name of names) {
    const entry = known.find((candidate) => candidate.name === name)!;
    const folder = mkdtempSync(join(tmpdir(), 'langevin-profile-'));
    try {
      const engine = await onnxruntimeEngine({ threads, session: { enableProfiling: true, profileFilePrefix: join(folder, 'trace') } });
      const step = await entry.prepare(engine);
      const times: number[] = [];
      for (let i = -WARMUP; i < steps; i++) {
        const start = performance.now();
        await step();
        if (i >= 0) times.push(performance.now() - start);
      }
      await engine.dispose();
      // Every session writes a trace; the one of the step has the longest runs.
      const traces = readdirSync(folder).map((file) => runsOf(readFileSync(join(folder, file), 'utf8')));
      const runs = traces.reduce((a, b) => (longest(b) > longest(a) ? b : a)).slice(-steps);
      cases.push({
        name,
        what: entry.what,
        steps: runs.length,
        stepMs: median(times),
        runMs: median(runs.map(({ ms }) => ms)),
        ...rowsOf(runs),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return { machine: describeMachine(), threads, cases };
}

const longest = (runs: readonly TracedRun[]): number => Math.max(0, ...runs.slice(1).map(({ ms }) => ms));

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function rowsOf(runs: readonly TracedRun[]): Pick<CaseProfile, 'kernels' | 'graphOps'> {
  return {
    kernels: grouped(runs, ({ kernel }) => kernel),
    graphOps: grouped(runs, ({ graphOp }) => graphOp ?? 'made by the runtime, or a change of layout'),
  };
}

/** Sums per step, the largest first. */
function grouped(runs: readonly TracedRun[], kindOf: (call: KernelCall) => string): readonly ProfileRow[] {
  const groups = new Map<string, KernelCall[]>();
  for (const { calls } of runs) {
    for (const call of calls) {
      const kind = kindOf(call);
      const group = groups.get(kind);
      if (group) group.push(call);
      else groups.set(kind, [call]);
    }
  }
  const total = runs.reduce((sum, { ms }) => sum + ms, 0);
  const perStep = (calls: readonly KernelCall[], of: (call: KernelCall) => number): number =>
    calls.reduce((sum, call) => sum + of(call), 0) / runs.length;
  return [...groups]
    .map(([kind, calls]) => {
      const ms = perStep(calls, (call) => call.ms);
      return {
        kind,
        calls: calls.length / runs.length,
        ms,
        share: (ms * runs.length) / total,
        gflop: perStep(calls, (call) => call.flops) / 1e9,
        writtenMiB: perStep(calls, (call) => call.outputBytes) / 2 ** 20,
      };
    })
    .sort((a, b) => b.ms - a.ms);
}

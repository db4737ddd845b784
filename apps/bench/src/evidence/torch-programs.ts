import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { Expectation, ProgramSpec } from '@langevin/tensor/testing';
import { findPython } from '../torch-peer.ts';

/** PyTorch as a judge of random programs, in a process of its own. */
export interface TorchPrograms {
  readonly version: string;
  /** What differs from the reference engine, or why PyTorch could not run the program. */
  differences(
    spec: ProgramSpec,
    expectations: readonly Expectation[],
  ): Promise<{ readonly compared: number; readonly problems: readonly string[] }>;
  close(): void;
}

type Shown = number | string;
type Answer = { readonly [derivative: string]: readonly (readonly Shown[])[] } | { readonly error: string };

/** PyTorch prints nine digits. */
const DIGITS = 1e-8;

/** Start `tooling/parity/programs_golden.py --stream`, or undefined where no Python with torch is found. */
export function startTorchPrograms(root: string): TorchPrograms | undefined {
  const python = findPython();
  if (python === undefined) return undefined;
  const version = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' }).stdout.trim();
  const child = spawn(python, [join(root, 'tooling/parity/programs_golden.py'), '--stream'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    version,
    async differences(spec, expectations) {
      child.stdin.write(`${JSON.stringify(spec)}\n`);
      const { value, done } = await lines.next();
      if (done === true)
        throw new Error('[bench/programs] the PyTorch process ended early. Run tooling/parity/programs_golden.py by hand to see why.');
      return compare(JSON.parse(value) as Answer, expectations);
    },
    close: () => child.stdin.end(),
  };
}

function compare(
  answer: Answer,
  expectations: readonly Expectation[],
): { readonly compared: number; readonly problems: readonly string[] } {
  if ('error' in answer && typeof answer.error === 'string') return { compared: 0, problems: [answer.error] };
  const answers = answer as Exclude<Answer, { readonly error: string }>;
  let compared = 0;
  const problems: string[] = [];
  for (const { derivative, results } of expectations) {
    results.forEach(({ values, tolerances }, i) => {
      const list = answers[derivative]?.[i] ?? [];
      if (list.length !== values.length) problems.push(`${derivative}: result ${i} has ${list.length} elements, expected ${values.length}`);
      const wrong = Array.from(values).findIndex((wanted, j) => {
        if (Number.isNaN(tolerances[j]!)) return false;
        compared++;
        return !isWithin(Number(list[j]), wanted, tolerances[j]! + DIGITS * Math.abs(wanted));
      });
      if (wrong >= 0) problems.push(`${derivative}: result ${i}, element ${wrong} is ${values[wrong]}, PyTorch says ${list[wrong]}`);
    });
  }
  return { compared, problems };
}

function isWithin(found: number, wanted: number, tolerance: number): boolean {
  return Object.is(found, wanted) || found === wanted || Math.abs(found - wanted) <= tolerance;
}

import { readFileSync } from 'node:fs';
import {
  checkProgram,
  expectationsOf,
  generateProgram,
  programKinds,
  programOps,
  referenceEngine,
  shrinkProgram,
  type ProgramSpec,
} from '@langevin/tensor/testing';
import { describe, expect, test } from 'vitest';

type Shown = number | 'NaN' | 'Infinity' | '-Infinity';

interface Golden {
  readonly cases: readonly { readonly spec: ProgramSpec; readonly results: Readonly<Record<string, readonly (readonly Shown[])[]>> }[];
}

const golden = JSON.parse(readFileSync(new URL('golden/programs.json', import.meta.url), 'utf8')) as Golden;

/** The file has nine digits. */
const DIGITS = 1e-8;

/** What PyTorch says of a program, beside the reference engine: what is not as it should be. */
async function differences({ spec, results }: Golden['cases'][number]): Promise<string[]> {
  const found: string[] = [];
  for (const { derivative, results: ours } of await expectationsOf(spec)) {
    ours.forEach(({ values, tolerances }, i) => {
      const theirs = results[derivative]?.[i] ?? [];
      if (theirs.length !== values.length) found.push(`${derivative} ${i}: ${values.length} elements, PyTorch has ${theirs.length}`);
      Array.from(values).forEach((value, j) => {
        const tolerance = tolerances[j]!;
        const wanted = Number(theirs[j]);
        const isSame = value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
        if (Number.isNaN(tolerance) || isSame || Math.abs(value - wanted) <= tolerance + DIGITS * Math.abs(wanted)) return;
        found.push(`${derivative} ${i}[${j}]: ${value}, PyTorch has ${wanted}, allowed ${tolerance}; ${JSON.stringify(spec)}`);
      });
    });
  }
  return found;
}

describe('random programs of all ops', () => {
  test.each(programKinds)('give what PyTorch gives, with two gradients where they are smooth: %s', async (kind) => {
    const cases = golden.cases.filter(({ spec }) => spec.kind === kind);
    expect(cases.length).toBeGreaterThan(40);
    for (const one of cases) expect(await differences(one)).toEqual([]);
  });

  test('every op occurs in them', () => {
    const used = new Set(golden.cases.flatMap(({ spec }) => spec.steps.map(({ op }) => op)));
    expect(Object.keys(programOps).filter((op) => !used.has(op))).toEqual([]);
  });

  test('float32 arithmetic stays within what is allowed', async () => {
    const engine = referenceEngine({ precision: 'float32' });
    for (const kind of programKinds) {
      for (let seed = 0; seed < 10; seed++) expect((await checkProgram(engine, generateProgram(kind, seed))).findings).toEqual([]);
    }
  });
});

describe('the check itself', () => {
  /** An engine that takes tanh for atan. */
  const wrong = (): ReturnType<typeof referenceEngine> => {
    const right = referenceEngine({ precision: 'float32' });
    return {
      ...right,
      compile: (graph) =>
        right.compile({ ...graph, nodes: graph.nodes.map((node) => (node.op === 'tanh' ? { ...node, op: 'atan' as const } : node)) }),
    };
  };
  const spec: ProgramSpec = {
    kind: 'smooth',
    seed: 3,
    inputs: [{ shape: [2, 3], dtype: 'float32', draw: 'smooth', seed: 5 }],
    steps: [
      { op: 'square', inputs: ['x0'], attributes: {} },
      { op: 'tanh', inputs: ['s0'], attributes: {} },
      { op: 'sum', inputs: ['s1'], attributes: { axes: [1], dims: 'drop' } },
      { op: 'exp', inputs: ['s2'], attributes: {} },
    ],
    outputs: ['s3', 's1'],
  };

  test('finds a wrong kernel, in every way of running it', async () => {
    const { findings } = await checkProgram(wrong(), spec);
    expect(new Set(findings.map(({ of }) => of))).toEqual(new Set(['value', 'gradient', 'second gradient']));
    expect(findings.some(({ mode }) => mode === 'eager')).toBe(true);
  });

  test('makes a failing program small', async () => {
    const fails = async (candidate: ProgramSpec): Promise<boolean> => (await checkProgram(wrong(), candidate)).findings.length > 0;
    const { inputs, steps, outputs } = await shrinkProgram(spec, fails);
    expect({ shape: inputs[0]!.shape, ops: steps.map(({ op }) => op), outputs }).toEqual({ shape: [1, 1], ops: ['tanh'], outputs: ['s0'] });
  });

  test('the same seed is the same program', () => {
    for (const kind of programKinds) expect(generateProgram(kind, 7)).toEqual(generateProgram(kind, 7));
    expect(generateProgram('smooth', 7)).not.toEqual(generateProgram('smooth', 8));
  });
});

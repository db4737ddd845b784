import type { Engine } from '@langevin/tensor';
import { conformanceRows, engineBehaviours, runConformance } from '@langevin/tensor/testing';
import type { ConformanceOptions } from '@langevin/tensor/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsEngine } from '@langevin/engine-tfjs';
import type { BackendName } from '@langevin/engine-tfjs';
import { PATIENT, backends } from './backends.ts';

const NO_16_BIT = 'TensorFlow.js has no 16-bit floats';

/** What this engine must refuse with an UnsupportedError, on every backend. */
const refused: Readonly<Record<string, string>> = {
  'exp: float16': NO_16_BIT,
  'add: float16': NO_16_BIT,
  'softmax: float16': NO_16_BIT,
  'matmul: float16': NO_16_BIT,
  'cast: float16 to float32': NO_16_BIT,
  'cast: bfloat16 to float32': NO_16_BIT,
  'cast: float32 to float16 rounds to even': NO_16_BIT,
  'cast: float32 to bfloat16 rounds to even': NO_16_BIT,
  'upload and download keep every bit: float16': NO_16_BIT,
  'upload and download keep every bit: bfloat16': NO_16_BIT,
};

const refusedByBackend: { readonly [Name in BackendName]?: Readonly<Record<string, string>> } = {
  webgpu: { 'cumsum: int32': "TensorFlow.js' shader for it does not compile" },
};

test('what is to be refused exists', () => {
  const names = [...conformanceRows, ...engineBehaviours].map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([refused, ...Object.values(refusedByBackend)].flatMap(Object.keys)));
});

describe.each(backends)('conformance on %s', PATIENT, (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await tfjsEngine({ backend });
  });

  async function prove(name: string, options: ConformanceOptions): Promise<void> {
    const { results } = await runConformance(engine, { rows: [], behaviours: [], ...options });
    // The shape rule needs no engine, and the kit itself skips checks that say nothing, such as differences of 16-bit floats.
    const checked = results.filter(({ check, status }) => check !== 'shape' && status !== 'skipped');
    expect(checked.length).toBeGreaterThan(0);
    const wanted = (refused[name] ?? refusedByBackend[backend]?.[name]) === undefined ? 'pass' : 'unsupported';
    expect(checked.filter(({ status }) => status !== wanted)).toEqual([]);
  }

  test.each(conformanceRows.map((row) => [row.name, row] as const))('%s', (name, row) => prove(name, { rows: [row] }));
  test.each(engineBehaviours.map((behaviour) => [behaviour.name, behaviour] as const))('%s', (name, behaviour) =>
    prove(name, { behaviours: [behaviour] }),
  );
});

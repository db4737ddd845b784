import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import type { Network } from '@langevin/core';
import { parameterCount, parameterShapes, toStateDict } from '@langevin/nn';
import { compareRuled, numbersOf, type RuledGolden } from '@langevin/nn/testing';
import { tensor, torchGenerator, type DType, type Shape } from '@langevin/tensor';
import { expect } from 'vitest';
import { expectClose, type GoldenTensor } from './golden.ts';

/** What a network with weights and inputs by rule made of them: see tooling/parity/network_case.py. */
export interface NetworkCase extends RuledGolden {
  readonly config: object;
  /** Shapes of what is differentiated: the sample `x`, and conditions. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** `time`, and conditions that are not. */
  readonly given: Readonly<
    Record<string, { readonly shape: Shape; readonly values: readonly (number | boolean)[]; readonly dtype: string }>
  >;
  /** Names of parameters, sorted. */
  readonly parameters: readonly string[];
}

export interface NetworkGolden {
  readonly tolerance: { readonly float32: number; readonly gradients: number; readonly init: number };
  readonly cases: readonly NetworkCase[];
  readonly fresh: readonly {
    readonly name: string;
    readonly seed: number;
    readonly config: object;
    readonly parameters: Readonly<Record<string, GoldenTensor>>;
  }[];
  readonly counts: readonly { readonly name: string; readonly config: object; readonly parameters: number }[];
}

/**
 * Names, outputs and gradients of a network are those of the golden file.
 *
 * @param buffers tensors of its files that are no parameters
 */
export async function expectCase(
  golden: NetworkCase,
  { network, tolerance }: { readonly network: Network<unknown>; readonly tolerance: NetworkGolden['tolerance'] },
  buffers: readonly string[] = [],
): Promise<void> {
  const names = [...parameterShapes(network).keys()];
  expect(names.filter((name) => !buffers.includes(name)).sort()).toEqual(golden.parameters);
  const { time, ...given } = Object.fromEntries(
    Object.entries(golden.given).map(([name, { values, shape, dtype }]) => [
      name,
      tensor(values.map(Number), { shape, dtype: dtype === 'int64' ? 'int32' : (dtype as DType) }),
    ]),
  );
  const drawn = Object.entries(golden.inputs).map(([name, shape]) => [name, numbersOf(`${golden.name}/${name}`, shape)] as const);
  const problems = await compareRuled(golden, {
    init: network.init,
    apply: (params, { x, ...conditions }) => ({ output: network.apply(params, x!, time!, { conditions }) }),
    inputs: { ...given, ...Object.fromEntries(drawn) },
    engine: await onnxruntimeEngine({ device: 'cpu', threads: 1 }),
    tolerance: { output: tolerance.float32, gradients: tolerance.gradients },
  });
  expect(problems).toEqual([]);
}

/** A seed makes the weights that it makes in diffusers, and published sizes have as many parameters. */
export async function expectFresh(
  golden: NetworkGolden['fresh'][number],
  { network, tolerance }: { readonly network: Network<unknown>; readonly tolerance: number },
): Promise<void> {
  const fresh = await toStateDict(network.init(torchGenerator(golden.seed)));
  expect([...fresh.keys()].sort()).toEqual(Object.keys(golden.parameters).sort());
  for (const [key, expected] of Object.entries(golden.parameters)) {
    expect(fresh.get(key)!.shape, key).toEqual(expected.shape);
    expectClose([...(fresh.get(key)!.data as Float32Array)], expected, { tolerance, label: key });
  }
}

/** Published sizes have as many parameters as in diffusers; the buffers that its files hold beside them are none. */
export function expectCounts(golden: NetworkGolden, parse: (config: object) => Network<unknown>, buffers: readonly string[] = []): void {
  for (const { name, config, parameters } of golden.counts) {
    const network = parse(config);
    const shapes = parameterShapes(network);
    const beside = buffers.reduce((all, buffer) => all + shapes.get(buffer)!.reduce((a, b) => a * b, 1), 0);
    expect(parameterCount(network) - beside, name).toBe(parameters);
  }
}

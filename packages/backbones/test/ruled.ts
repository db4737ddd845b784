import type { Conditions, Network } from '@langevin/core';
import { parameterCount, shapesOnly, toStateDict } from '@langevin/nn';
import {
  mapTensors,
  mul,
  namedTensors,
  numbers,
  realize,
  sum,
  tensor,
  torchGenerator,
  valueAndGrad,
  type DType,
  type Engine,
  type Shape,
  type Tensor,
} from '@langevin/tensor';
import { expect } from 'vitest';
import { expectClose, toTensor, type GoldenTensor } from './golden.ts';

/** A sample of a gradient, with its Euclidean norm. */
export interface GoldenGradient extends GoldenTensor {
  readonly norm: number;
}

/** What a network with the weights of a rule made of some inputs: see tooling/parity/ruled.py. */
export interface RuledCase {
  readonly name: string;
  readonly config: object;
  readonly seed: number;
  /** Differentiated: the sample `x`, and conditions. */
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
  /** `time`, and conditions that are not. */
  readonly given: Readonly<
    Record<string, { readonly shape: Shape; readonly values: readonly (number | boolean)[]; readonly dtype: string }>
  >;
  readonly output: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly inputGradients: Readonly<Record<string, GoldenGradient>>;
  /** Names, sorted. */
  readonly parameters: readonly string[];
  readonly gradients: Readonly<Record<string, GoldenGradient>>;
}

export interface RuledGolden {
  readonly tolerance: { readonly float32: number; readonly gradients: number; readonly init: number };
  readonly cases: readonly RuledCase[];
  readonly fresh: readonly {
    readonly name: string;
    readonly seed: number;
    readonly config: object;
    readonly parameters: Readonly<Record<string, GoldenTensor>>;
  }[];
  readonly counts: readonly { readonly name: string; readonly config: object; readonly parameters: number }[];
}

/** Uniform in [-0.25, 0.25), those of norms around 1, drawn in the order of their names; what the rule does not name stays. */
export function ruledWeights<P>(fresh: P, { names, seed }: { readonly names: readonly string[]; readonly seed: number }): P {
  const generator = torchGenerator(seed);
  const shapes = namedTensors(fresh);
  const weights = new Map(
    names.map((name) => {
      const { shape, size } = shapes.get(name) ?? { shape: [0], size: 0 };
      const base = shape.length === 1 && name.endsWith('weight') ? 1 : 0;
      const data = generator.uniform(size).map((u) => base + Math.fround((u - 0.5) * 0.5));
      return [name, tensor(data, { shape })];
    }),
  );
  return mapTensors(fresh, (value, _, name) => weights.get(name) ?? value);
}

/** Names, outputs and gradients of a network are those of the golden file. Parameters without a gradient there have zeros here. */
export async function expectRuled(
  golden: RuledCase,
  {
    network,
    engine,
    tolerance,
  }: { readonly network: Network<unknown>; readonly engine: Engine; readonly tolerance: RuledGolden['tolerance'] },
  buffers: readonly string[] = [],
): Promise<void> {
  const fresh = network.init(torchGenerator(0));
  expect([...namedTensors(fresh).keys()].filter((name) => !buffers.includes(name)).sort()).toEqual(golden.parameters);
  const params = ruledWeights(fresh, { names: golden.parameters, seed: golden.seed });
  const { time, ...given } = Object.fromEntries(
    Object.entries(golden.given).map(([name, { values, shape, dtype }]) => [
      name,
      tensor(values.map(Number), { shape, dtype: dtype === 'int64' ? 'int32' : (dtype as DType) }),
    ]),
  );
  const inputs = Object.fromEntries(Object.entries(golden.inputs).map(([name, value]) => [name, toTensor(value)]));
  const cotangent = toTensor(golden.cotangent);
  const loss = (at: { params: unknown; inputs: Conditions }): { loss: Tensor; y: Tensor } => {
    const { x, ...conditions } = at.inputs;
    const y = network.apply(at.params, x!, time!, { conditions: { ...given, ...conditions } });
    return { loss: sum(mul(y, cotangent)), y };
  };
  const { value, grad } = valueAndGrad(loss)({ params, inputs });
  const gradients = namedTensors(grad.params);
  const inputGradients = Object.entries(grad.inputs);
  await realize([value.y, ...inputGradients.map(([, gradient]) => gradient), ...gradients.values()], { engine });
  expect(value.y.shape).toEqual(golden.output.shape);
  expectClose(await numbers(value.y), golden.output, { tolerance: tolerance.float32, label: 'output' });
  for (const [name, gradient] of inputGradients) await expectGradient(gradient, golden.inputGradients[name]!, { name, tolerance });
  // A bias before a softmax has none but for rounding: what counts there is the size of the others.
  const floor = 1e-3 * Math.max(...Object.values(golden.gradients).map(({ norm }) => norm));
  for (const [name, gradient] of gradients) {
    const expected = golden.gradients[name];
    if (expected !== undefined) await expectGradient(gradient, expected, { name, tolerance, floor });
    else
      expect(
        (await numbers(gradient)).every((g) => g === 0),
        name,
      ).toBe(true);
  }
}

async function expectGradient(
  gradient: Tensor,
  golden: GoldenGradient,
  { name, tolerance, floor = 0 }: { readonly name: string; readonly tolerance: RuledGolden['tolerance']; readonly floor?: number },
): Promise<void> {
  const all = await numbers(gradient);
  const bound = tolerance.gradients * Math.max(golden.norm, floor);
  expect(gradient.shape, name).toEqual(golden.shape);
  const stride = golden.stride ?? 1;
  golden.values.forEach((value, i) => {
    expect(Math.abs(all[i * stride]! - value), `${name}[${i * stride}]`).toBeLessThanOrEqual(bound);
  });
  expect(Math.abs(Math.hypot(...all) - golden.norm), `norm of ${name}`).toBeLessThanOrEqual(bound);
}

/** A seed makes the weights that it makes in diffusers, and published sizes have as many parameters. */
export async function expectFresh(
  golden: RuledGolden['fresh'][number],
  { network, tolerance }: { readonly network: Network<unknown>; readonly tolerance: number },
): Promise<void> {
  const fresh = await toStateDict(network.init(torchGenerator(golden.seed)));
  expect([...fresh.keys()].sort()).toEqual(Object.keys(golden.parameters).sort());
  for (const [key, expected] of Object.entries(golden.parameters)) {
    expect(fresh.get(key)!.shape, key).toEqual(expected.shape);
    expectClose([...(fresh.get(key)!.data as Float32Array)], expected, { tolerance, label: key });
  }
}

/** Published sizes have as many parameters as in diffusers; the buffers that its files hold beside them are no parameters. */
export function expectCounts(golden: RuledGolden, parse: (config: object) => Network<unknown>, buffers: readonly string[] = []): void {
  for (const { name, config, parameters } of golden.counts) {
    const network = parse(config);
    const beside = buffers.length === 0 ? 0 : bufferSize(network, buffers);
    expect(parameterCount(network) - beside, name).toBe(parameters);
  }
}

function bufferSize(network: Network<unknown>, buffers: readonly string[]): number {
  return [...namedTensors(network.init(shapesOnly))].reduce((all, [name, { size }]) => all + (buffers.includes(name) ? size : 0), 0);
}

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
  type Shape,
  type Tensor,
} from '@langevin/tensor';
import { expect } from 'vitest';
import { numbersOf, projected, weightOf } from './by-rule.ts';
import { expectClose, type GoldenTensor } from './golden.ts';

/** What a network with weights and inputs by rule made of them: see tooling/parity/network_case.py. */
export interface NetworkCase {
  readonly name: string;
  readonly config: object;
  /** Shapes of what is differentiated: the sample `x`, and conditions. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** `time`, and conditions that are not. */
  readonly given: Readonly<
    Record<string, { readonly shape: Shape; readonly values: readonly (number | boolean)[]; readonly dtype: string }>
  >;
  readonly outputShape: Shape;
  readonly outputs: { readonly output: GoldenTensor };
  /** Names, sorted. */
  readonly parameters: readonly string[];
  /** Product with numbers of variance 1, and norm. */
  readonly inputGradients: Readonly<Record<string, readonly [number, number]>>;
  readonly gradients: Readonly<Record<string, readonly [number, number]>>;
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
 * Names, outputs and gradients of a network are those of the golden file. Parameters without a gradient there have zeros here.
 *
 * @param buffers tensors of its files that are no parameters
 */
export async function expectCase(
  golden: NetworkCase,
  { network, tolerance }: { readonly network: Network<unknown>; readonly tolerance: NetworkGolden['tolerance'] },
  buffers: readonly string[] = [],
): Promise<void> {
  const fresh = network.init(torchGenerator(0));
  expect([...namedTensors(fresh).keys()].filter((name) => !buffers.includes(name)).sort()).toEqual(golden.parameters);
  const params = mapTensors(fresh, (value, _, name) => (buffers.includes(name) ? value : weightOf(`${golden.name}/${name}`, value.shape)));
  const { time, ...given } = Object.fromEntries(
    Object.entries(golden.given).map(([name, { values, shape, dtype }]) => [
      name,
      tensor(values.map(Number), { shape, dtype: dtype === 'int64' ? 'int32' : (dtype as DType) }),
    ]),
  );
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, shape]) => [name, numbersOf(`${golden.name}/${name}`, shape)]),
  );
  const cotangent = numbersOf(`${golden.name}/cotangent/output`, golden.outputShape);
  const loss = (at: { params: unknown; inputs: Conditions }): { loss: Tensor; y: Tensor } => {
    const { x, ...conditions } = at.inputs;
    const y = network.apply(at.params, x!, time!, { conditions: { ...given, ...conditions } });
    return { loss: sum(mul(y, cotangent)), y };
  };
  const { value, grad } = valueAndGrad(loss)({ params, inputs });
  const gradients = namedTensors(grad.params);
  const inputGradients = Object.entries(grad.inputs);
  const all = new Map([...inputGradients, ...gradients].map(([name, gradient]) => [name, projected(golden.name, name, gradient)]));
  await realize([value.y, ...all.values()]);
  expect(value.y.shape).toEqual(golden.outputShape);
  expectClose(await numbers(value.y), golden.outputs.output, { tolerance: tolerance.float32, label: 'output' });
  // A bias before a softmax has no gradient but for rounding: what counts there is the size of the others.
  const floor = 1e-3 * Math.max(...Object.values(golden.gradients).map(([, norm]) => norm));
  const within = async (name: string, [product, norm]: readonly [number, number]): Promise<void> => {
    const bound = tolerance.gradients * Math.max(norm, floor);
    const [ownProduct, ownNorm] = (await numbers(all.get(name)!)) as [number, number];
    expect(Math.abs(ownNorm - norm), `norm of the gradient of ${name}`).toBeLessThanOrEqual(bound);
    expect(Math.abs(ownProduct - product), `gradient of ${name}`).toBeLessThanOrEqual(bound);
  };
  for (const [name] of inputGradients) await within(name, golden.inputGradients[name]!);
  for (const [name] of gradients) await within(name, golden.gradients[name] ?? [0, 0]);
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

/** Published sizes have as many parameters as in diffusers; the buffers that its files hold beside them are no parameters. */
export function expectCounts(golden: NetworkGolden, parse: (config: object) => Network<unknown>, buffers: readonly string[] = []): void {
  for (const { name, config, parameters } of golden.counts) {
    const network = parse(config);
    const beside = buffers.length === 0 ? 0 : bufferSize(network, buffers);
    expect(parameterCount(network) - beside, name).toBe(parameters);
  }
}

function bufferSize(network: Network<unknown>, buffers: readonly string[]): number {
  return [...namedTensors(network.init(shapesOnly))].reduce((all, [name, { size }]) => all + (buffers.includes(name) ? size : 0), 0);
}

import { shapesOnly } from '@langevin/nn';
import { add, mul, namedTensors, numbers, realize, sum, valueAndGrad, type Engine, type Generator, type Tensor } from '@langevin/tensor';
import { expect } from 'vitest';
import { numbersOf, projected, weightsOf } from './by-rule.ts';
import { expectClose, type GoldenTensor } from './golden.ts';

type Projections = Readonly<Record<string, readonly [product: number, norm: number]>>;

/** What a network of diffusers made, whose weights and inputs follow from names: `record` of `tooling/parity/by_rule.py`. */
export interface RuledGolden {
  readonly name: string;
  readonly config: object;
  readonly outputs: Readonly<Record<string, GoldenTensor>>;
  readonly inputGradients: Projections;
  readonly gradients: Projections;
}

export type Named = Readonly<Record<string, Tensor>>;

/** The same network of ours. */
export interface RuledNetwork<P> {
  readonly init: (generator: Generator) => P;
  readonly apply: (params: P, inputs: Named) => Named;
  /** What it is given, by the names of the golden gradients, and more that has none. */
  readonly inputs: Named;
  readonly engine: Engine;
  readonly tolerance: { readonly output: number; readonly gradients: number };
}

/** Outputs, and gradients of weights and inputs, are diffusers'; what it gives no gradient (fixed frequencies) gets zeros here. */
export async function expectRuledNetwork<P>(golden: RuledGolden, own: RuledNetwork<P>): Promise<void> {
  const { name, outputs, inputGradients } = golden;
  const params = weightsOf(own.init(shapesOnly), name);
  const followed = Object.fromEntries(Object.keys(inputGradients).map((key) => [key, own.inputs[key]!]));
  const loss = (at: { readonly params: P; readonly followed: Named }) => {
    const made = own.apply(at.params, { ...own.inputs, ...at.followed });
    const parts = Object.entries(made).map(([key, value]) => sum(mul(value, numbersOf(`${name}/cotangent/${key}`, value.shape))));
    return { loss: parts.reduce((a, b) => add(a, b)), made };
  };
  const { value, grad } = valueAndGrad(loss)({ params, followed });
  const ofWeights = projections(name, namedTensors(grad.params));
  const ofInputs = projections(name, new Map(Object.entries(grad.followed)));
  await realize([...Object.values(value.made), ...ofWeights.values(), ...ofInputs.values()], { engine: own.engine });
  expect(Object.keys(value.made).sort()).toEqual(Object.keys(outputs).sort());
  for (const [key, expected] of Object.entries(outputs)) {
    expect(value.made[key]!.shape, key).toEqual(expected.shape);
    expectClose(await numbers(value.made[key]!), expected, { tolerance: own.tolerance.output, label: key });
  }
  await expectProjections(ofInputs, inputGradients, own.tolerance.gradients);
  await expectProjections(ofWeights, golden.gradients, own.tolerance.gradients);
}

function projections(caseName: string, gradients: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map([...gradients].map(([key, gradient]) => [key, projected(caseName, key, gradient)]));
}

/**
 * An error of a gradient shows in the product as large as it is. Gradients that are 0 by symmetry (a bias before a softmax) are rounding
 * noise of the others: the scale is at least a hundredth of the largest norm.
 */
async function expectProjections(actual: ReadonlyMap<string, Tensor>, golden: Projections, tolerance: number): Promise<void> {
  const floor = 0.01 * Math.max(...Object.values(golden).map(([, norm]) => norm));
  expect([...Object.keys(golden)].filter((key) => !actual.has(key))).toEqual([]);
  for (const [key, projection] of actual) {
    const [product, norm] = (await numbers(projection)) as [number, number];
    const expected = golden[key];
    if (expected === undefined) {
      expect(norm, `${key}: no gradient`).toBe(0);
      continue;
    }
    const bound = tolerance * Math.max(expected[1], floor);
    expect(Math.abs(product - expected[0]), `${key}: gradient along random numbers`).toBeLessThanOrEqual(bound);
    expect(Math.abs(norm - expected[1]), `${key}: norm of the gradient`).toBeLessThanOrEqual(bound);
  }
}

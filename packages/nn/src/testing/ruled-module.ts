import { add, mul, namedTensors, numbers, realize, sum, valueAndGrad, type Engine, type Generator, type Tensor } from '@langevin/tensor';
import { shapesOnly } from '../shapes-only.ts';
import { numbersOf, projected, weightsOf } from './by-rule.ts';

/** Every `stride`-th element of a tensor, with sums. */
interface Sampled {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly stride?: number;
  readonly sum?: number;
}

type Projections = Readonly<Record<string, readonly [product: number, norm: number]>>;

/** What a module of another library made, whose weights and inputs follow from names: `record` of `tooling/parity/by_rule.py`. */
export interface RuledGolden {
  readonly name: string;
  readonly config: object;
  readonly outputs: Readonly<Record<string, Sampled>>;
  readonly inputGradients: Projections;
  readonly gradients: Projections;
}

export type NamedInputs = Readonly<Record<string, Tensor>>;

/** The same module of ours. */
export interface RuledModule<P> {
  readonly init: (generator: Generator) => P;
  readonly apply: (params: P, inputs: NamedInputs) => NamedInputs;
  /** What it is given, by the names of the golden gradients, and more that has none. */
  readonly inputs: NamedInputs;
  readonly engine: Engine;
  /** Of outputs, times their largest magnitude; of gradients, times their norm. */
  readonly tolerance: { readonly output: number; readonly gradients: number };
}

/** How far a module is from the golden one. */
export interface RuledDifference {
  /** Where it is beyond the tolerance: one line each. */
  readonly problems: readonly string[];
  /** The largest error of an output, over its largest magnitude. */
  readonly output: number;
  /** The largest error of a gradient, over its norm. */
  readonly gradients: number;
}

/** Where outputs, and gradients of weights and inputs, are not those of the golden module: one line each, none when all are. */
export async function compareRuled<P>(golden: RuledGolden, own: RuledModule<P>): Promise<readonly string[]> {
  return (await measureRuled(golden, own)).problems;
}

/**
 * How far outputs, and gradients of weights and inputs, are from those of the golden module. What it gives no gradient (fixed frequencies)
 * gets zeros here.
 */
export async function measureRuled<P>(golden: RuledGolden, own: RuledModule<P>): Promise<RuledDifference> {
  const { name, outputs, inputGradients } = golden;
  const params = weightsOf(own.init(shapesOnly), name);
  const followed = Object.fromEntries(Object.keys(inputGradients).map((key) => [key, own.inputs[key]!]));
  const loss = (at: { readonly params: P; readonly followed: NamedInputs }) => {
    const made = own.apply(at.params, { ...own.inputs, ...at.followed });
    const parts = Object.entries(made).map(([key, value]) => sum(mul(value, numbersOf(`${name}/cotangent/${key}`, value.shape))));
    return { loss: parts.reduce((a, b) => add(a, b)), made };
  };
  const { value, grad } = valueAndGrad(loss)({ params, followed });
  const ofWeights = projections(name, namedTensors(grad.params));
  const ofInputs = projections(name, new Map(Object.entries(grad.followed)));
  await realize([...Object.values(value.made), ...ofWeights.values(), ...ofInputs.values()], { engine: own.engine });
  const names = [...new Set([...Object.keys(outputs), ...Object.keys(value.made)])];
  const problems = await Promise.all(
    names.map(async (key) => {
      const [expected, made] = [outputs[key], value.made[key]];
      if (expected === undefined || made === undefined) return { problems: [`${key}: is in one of the two only`], worst: Infinity };
      return outputProblems(key, { made: await numbers(made), shape: made.shape, expected, tolerance: own.tolerance.output });
    }),
  );
  const gradients = [
    await gradientProblems(ofInputs, inputGradients, own.tolerance.gradients),
    await gradientProblems(ofWeights, golden.gradients, own.tolerance.gradients),
  ];
  const worstOf = (found: readonly Found[]): number => Math.max(0, ...found.map(({ worst }) => worst));
  return {
    problems: [...problems, ...gradients].flatMap((found) => found.problems),
    output: worstOf(problems),
    gradients: worstOf(gradients),
  };
}

/** What was found of some numbers, and their largest relative error. */
interface Found {
  readonly problems: readonly string[];
  readonly worst: number;
}

/** Every golden element within the tolerance, and the sum within the tolerance times the number of elements. */
function outputProblems(
  key: string,
  {
    made,
    shape,
    expected,
    tolerance,
  }: { readonly made: readonly number[]; readonly shape: readonly number[]; readonly expected: Sampled; readonly tolerance: number },
): Found {
  const { values, stride = 1, sum: total } = expected;
  if (shape.join() !== expected.shape.join())
    return { problems: [`${key}: shape is [${shape.join(', ')}], not [${expected.shape.join(', ')}]`], worst: Infinity };
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = tolerance * largest;
  const worst = Math.max(...values.map((value, i) => Math.abs(made[i * stride]! - value)));
  const off = total === undefined ? 0 : Math.abs(made.reduce((a, b) => a + b, 0) - total);
  return {
    problems: [
      ...(worst <= bound ? [] : [`${key}: differs by ${worst}, bound ${bound}`]),
      ...(off <= bound * made.length ? [] : [`${key}: sum differs by ${off}, bound ${bound * made.length}`]),
    ],
    worst: worst / Math.max(largest, Number.MIN_VALUE),
  };
}

function projections(caseName: string, gradients: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  return new Map([...gradients].map(([key, gradient]) => [key, projected(caseName, key, gradient)]));
}

/**
 * An error of a gradient shows in the product as large as it is. Gradients that are 0 by symmetry (a bias before a softmax) are rounding
 * noise of the others: the scale is at least a hundredth of the largest norm.
 */
async function gradientProblems(actual: ReadonlyMap<string, Tensor>, golden: Projections, tolerance: number): Promise<Found> {
  const floor = 0.01 * Math.max(...Object.values(golden).map(([, norm]) => norm));
  const problems = Object.keys(golden)
    .filter((key) => !actual.has(key))
    .map((key) => `${key}: has no gradient here`);
  let most = 0;
  for (const [key, projection] of actual) {
    const [product, norm] = (await numbers(projection)) as [number, number];
    const expected = golden[key];
    if (expected === undefined) {
      if (norm !== 0) problems.push(`${key}: has a gradient here only, of norm ${norm}`);
      continue;
    }
    const scale = Math.max(expected[1], floor);
    const bound = tolerance * scale;
    const worst = Math.max(Math.abs(product - expected[0]), Math.abs(norm - expected[1]));
    if (!(worst <= bound)) problems.push(`gradient of ${key}: differs by ${worst}, bound ${bound}`);
    most = Math.max(most, worst / scale);
  }
  return { problems, worst: most };
}

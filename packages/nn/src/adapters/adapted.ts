import {
  add,
  checkNumber,
  didYouMean,
  div,
  mapTensors,
  mul,
  namedTensors,
  readOptions,
  reshape,
  scalar,
  shownValue,
  showShape,
  sqrt,
  square,
  sub,
  sum,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { deltaOf, wide, type WeightDelta } from './weight-delta.ts';

/** Deltas of some parameters under one name, and how strongly they are added. */
export interface Adapter {
  readonly name: string;
  /** By the name of the parameter. */
  readonly deltas: ReadonlyMap<string, WeightDelta>;
  /** Any number: below 0 and above 1 are usual for sliders; one for each parameter where it is a function. @default 1 */
  readonly strength?: number | ((parameter: string) => number);
}

const WHERE = 'nn/adapters';

/**
 * Parameters with adapters added, W + sum of s delta, in float32 and from the parameters as they are: those are not changed, so that to
 * drop an adapter is to go on with them. Which adapter is named first makes no difference, to the last bit. A parameter without a delta, or
 * with strengths 0 only, is the same tensor as before. With a DoRA's norms m, its part is s (m (W + delta) / |W + delta| - W).
 *
 * @throws UserError for a parameter that is not there, a delta of another shape, two adapters of one name, or a strength that is no number
 * @example
 * const params = { to_q: { weight: zeros([1, 2]) } };
 * const deltas = new Map([['to_q.weight', { kind: 'low-rank', up: ones([1, 1]), down: ones([1, 2]) } as const]]);
 * await numbers(adapted(params, [{ name: 'mine', deltas, strength: 2 }]).to_q.weight); // => [2, 2]
 * await numbers(params.to_q.weight); // => [0, 0]
 */
export function adapted<T>(params: T, adapters: readonly Adapter[]): T {
  if (!Array.isArray(adapters)) throw new UserError(`[${WHERE}] adapters are a list: adapters=${shownValue(adapters)}. Pass one.`);
  const known = namedTensors(params);
  const ordered = [...adapters].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set<string>();
  const parts = new Map<string, { readonly delta: WeightDelta; readonly strength: number }[]>();
  for (const adapter of ordered) {
    const { name, deltas, strength = 1 } = readOptions(WHERE, adapter);
    if (typeof name !== 'string' || name === '' || names.has(name))
      throw new UserError(`[${WHERE}] each adapter has a name of its own: name=${shownValue(name)}. Choose another.`);
    names.add(name);
    for (const [parameter, delta] of deltas) {
      const weight = known.get(parameter);
      if (weight === undefined)
        throw new UserError(
          `[${WHERE}] model has no such parameter: adapter=${name}, parameter=${parameter}.${didYouMean(parameter, [...known.keys()])} The `
            + 'adapter is for another model.',
        );
      const own = typeof strength === 'function' ? strength(parameter) : strength;
      checkNumber(WHERE, { strength: own }, { atLeast: -1e6, atMost: 1e6 });
      // Shapes are looked at whatever the strength is, so that what does not fit is said at once.
      deltaOf(parameter, delta, weight.shape);
      checkMagnitude(parameter, delta, weight.shape);
      if (own !== 0) parts.set(parameter, [...(parts.get(parameter) ?? []), { delta, strength: own }]);
    }
  }
  return mapTensors(params, (weight, _, name) => {
    const own = parts.get(name);
    if (own === undefined) return weight;
    const pristine = wide(weight);
    return add(
      pristine,
      own.map(({ delta, strength }) => mul(part(name, delta, pristine), scalar(strength))).reduce((total, each) => add(total, each)),
    );
  });
}

/** What one adapter of strength 1 adds. */
function part(name: string, delta: WeightDelta, weight: Tensor): Tensor {
  const plain = deltaOf(name, delta, weight.shape);
  if (delta.magnitude === undefined) return plain;
  const { vector, axis } = delta.magnitude;
  const kept = axis === 'output' ? 0 : 1;
  const merged = add(weight, plain);
  const squares = sum(square(merged), { axes: weight.shape.flatMap((_, i) => (i === kept ? [] : [i])) });
  const column = weight.shape.map((side, i) => (i === kept ? side : 1));
  return sub(mul(merged, reshape(div(reshape(wide(vector), squares.shape), sqrt(squares)), column)), weight);
}

function checkMagnitude(name: string, { magnitude }: WeightDelta, shape: readonly number[]): void {
  if (magnitude === undefined) return;
  const wanted = shape.length < 2 ? undefined : shape[magnitude.axis === 'output' ? 0 : 1];
  if (magnitude.vector.size === wanted) return;
  throw new UserError(
    `[${WHERE}] norms do not fit their weight: name=${name}, axis=${magnitude.axis}, norms=${showShape(magnitude.vector.shape)}, `
      + `weight=${showShape(shape)}. The adapter is for another model.`,
  );
}

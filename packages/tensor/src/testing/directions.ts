import { isFloating } from '../dtype.ts';
import { counterGenerator } from '../random/index.ts';
import { sizeOf } from '../shape.ts';
import type { ValueInfo } from '../graph/graph.ts';
import type { Result } from './program.ts';

/** A step for every argument; empty where an argument is not moved. */
export type Direction = readonly (Float64Array | undefined)[];

/**
 * Random directions: one for each float argument alone, and two that move them all. A wrong gradient is orthogonal to a normal direction
 * with probability zero; `signs` (+1 or -1) can be added in float32 without rounding.
 */
export function randomDirections(inputs: readonly ValueInfo[], kind: 'normal' | 'signs', seed: number): Direction[] {
  const random = counterGenerator({ seed, stream: [1] });
  const draw = ({ shape, dtype }: ValueInfo): Float64Array | undefined => {
    if (!isFloating(dtype)) return undefined;
    return kind === 'normal'
      ? random.normal64(sizeOf(shape))
      : Float64Array.from(random.integers(sizeOf(shape), { low: 0, high: 2 }), (bit) => 2 * bit - 1);
  };
  const alone = inputs.flatMap((x, i) =>
    isFloating(x.dtype) && sizeOf(x.shape) > 0 ? [inputs.map((y, j) => (i === j ? draw(y) : undefined))] : [],
  );
  return [...alone, inputs.map(draw), inputs.map(draw)];
}

/** inputs + step * direction. */
export function moved(inputs: readonly Result[], direction: Direction, step: number): Result[] {
  return inputs.map((x, i) => {
    const d = direction[i];
    return d ? { ...x, values: Float64Array.from(x.values, (v, j) => v + step * d[j]!) } : x;
  });
}

/** Sum over all results of weight times value. */
export function weighted(weights: readonly Result[], results: readonly Result[]): number {
  let total = 0;
  weights.forEach((w, i) => {
    for (let j = 0; j < w.values.length; j++) total += w.values[j]! * results[i]!.values[j]!;
  });
  return total;
}

/** The derivative in a direction, from the gradients by the float arguments in order; and the sum of its terms' magnitudes. */
export function along(
  gradients: readonly Result[],
  direction: Direction,
  inputs: readonly ValueInfo[],
): { readonly slope: number; readonly magnitude: number } {
  let slope = 0;
  let magnitude = 0;
  const steps = direction.filter((_, i) => isFloating(inputs[i]!.dtype));
  steps.forEach((d, i) =>
    d?.forEach((step, j) => {
      const term = step * gradients[i]!.values[j]!;
      slope += term;
      magnitude += Math.abs(term);
    }),
  );
  return { slope, magnitude };
}

/** Central difference quotient of fourth order. */
export async function fourthOrderQuotient(at: (step: number) => Promise<number>, h: number): Promise<number> {
  return (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
}

import { add, isFloating, mapTensors, mul, sub, type Operand } from '@langevin/tensor';

/**
 * One step of a moving average of parameters: average + weight (params - average), one linear interpolation each.
 *
 * It takes the weight 1 - decay rather than the decay: in float32, 1 - 0.9999 has an error of 3e-4.
 *
 * @param weight share of the new parameters, in [0, 1]; a scalar input of the graph when it changes. {@link emaWeight} gives it.
 * @example
 * const weight = emaWeight(constantDecay(0.75), 1000);
 * const next = updateAverage({ w: tensor([0, 0]) }, { w: tensor([1, 4]) }, weight);
 * await numbers(next.w); // => [0.25, 1.00]
 */
export function updateAverage<P>(average: P, params: P, weight: Operand): P {
  return mapTensors(average, (a, [p]) => (isFloating(a.dtype) ? add(a, mul(sub(p!, a), weight)) : p!), params);
}

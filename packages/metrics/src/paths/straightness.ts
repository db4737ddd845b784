import { checkNumber, UserError } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';

/**
 * How far a path is from a straight line walked at constant speed (Liu et al. 2022, arXiv:2209.03003, section 2.2): the integral over time
 * of |(x1 - x0) - dx/dt|^2, over |x1 - x0|^2 so that paths of different lengths compare. 0 for a rectified flow.
 *
 * @param states at rising or falling times; at least two, all of one length
 * @param times of the states, from one end of the unit interval to the other
 * @throws UserError when lengths differ, times do not change in one direction, or the path ends where it began
 * @example
 * straightness([[0, 0], [1, 1], [2, 2]].map((x) => Float64Array.from(x)), [0, 0.5, 1]); // => 0
 * straightness([[0, 0], [1, 0], [1, 1]].map((x) => Float64Array.from(x)), [0, 0.5, 1]); // => 1
 */
export function straightness(states: readonly (Float64Array | Float32Array)[], times: readonly number[]): number {
  checkGiven('metrics/straightness', 'a list', { states, times });
  for (const [i, state] of states.entries()) checkGiven('metrics/straightness', 'an array of floats', { [`states[${i}]`]: state });
  for (const [i, time] of times.entries()) checkNumber('metrics/straightness', { [`times[${i}]`]: time });
  const [first, last] = [states[0], states.at(-1)];
  if (first === undefined || last === undefined || states.length < 2 || states.length !== times.length) {
    throw fault(`a path needs two states and a time for each: states=${states.length}, times=${times.length}. Pass both lists.`);
  }
  const other = states.findIndex((state) => state.length !== first.length);
  if (other >= 0) {
    throw fault(`states differ in length: states[0]=${first.length}, states[${other}]=${states[other]!.length}. Take them from one run.`);
  }
  const span = times.at(-1)! - times[0]!;
  let squared = 0;
  for (let k = 0; k < first.length; k += 1) squared += (last[k]! - first[k]!) ** 2;
  if (!(squared > 0)) throw fault('the path ends where it began, so it has no direction: distance=0. Use a whole run.');
  let sum = 0;
  for (let i = 1; i < states.length; i += 1) {
    const share = (times[i]! - times[i - 1]!) / span;
    if (!(share > 0)) {
      throw fault(`times do not go in one direction: times[${i - 1}]=${times[i - 1]}, times[${i}]=${times[i]}. Sort the states by time.`);
    }
    for (let k = 0; k < first.length; k += 1) {
      sum += share * (last[k]! - first[k]! - (states[i]![k]! - states[i - 1]![k]!) / share) ** 2;
    }
  }
  return sum / squared;
}

function fault(text: string): UserError {
  return new UserError(`[metrics/straightness] ${text}`);
}

import type { NoiseLevel } from '@langevin/core';
import { checkNumber, shownValue, UserError } from '@langevin/tensor';

/** How strong guidance is: one number, or a number for each noise level. */
export type Scale = number | ((at: NoiseLevel) => number);

/** No scale that somebody uses is greater; beyond, float32 loses the difference of two predictions. */
const GREATEST = 1e6;

/** The scale as a function whose values are checked. */
export function scaleAt(where: string, name: string, scale: Scale): (at: NoiseLevel) => number {
  const checked = (value: unknown): number => {
    checkNumber(where, { [name]: value }, { atLeast: -GREATEST, atMost: GREATEST });
    return value as number;
  };
  if (typeof scale === 'function') return (at) => checked(scale(at));
  if (typeof scale !== 'number')
    throw new UserError(`[${where}] ${name} is neither a number nor a function of the level: ${name}=${shownValue(scale)}. Pass one.`);
  const constant = checked(scale);
  return () => constant;
}

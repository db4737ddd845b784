import type { Sampler } from '@langevin/core';
import { alongUnconditional, throughUnconditional, type CfgPpSlopes } from './along-unconditional.ts';
import { stepOrder, type LowerOrderFinal } from './maths/multistep.ts';
import { resMultistep } from './solvers/res-multistep.ts';

export interface ResCfgPpOptions {
  readonly name: string;
  readonly slopes: CfgPpSlopes;
  readonly lowerOrderFinal: LowerOrderFinal;
}

/** The deterministic part of both RES multistep methods with CFG++. */
export function resCfgPp({ name, slopes, lowerOrderFinal }: ResCfgPpOptions): Sampler {
  const base = resMultistep({ lowerOrderFinal });
  if (slopes === 'guided') return alongUnconditional(base, name);
  // A step of first order leads to D; one of second goes through U and the U before it.
  return throughUnconditional(base, {
    name,
    now: ({ denoised, unconditional }, input) => (stepOrder(input, 2, lowerOrderFinal) === 1 ? denoised : unconditional),
  });
}

import type { NoiseLevel } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { integer, oneOf } from '@langevin/tensor/fields';
import { descendingRange, linspace, roundHalfEven } from '../float32.ts';

export const SPACINGS = ['linspace', 'leading', 'trailing'] as const;
export type SpacingName = (typeof SPACINGS)[number];

export function spacingOptions(fallback: SpacingName) {
  return { timestep_spacing: oneOf<SpacingName>(fallback, SPACINGS), steps_offset: integer(0, { atLeast: 0, atMost: 100_000 }) } as const;
}

interface ChainTimes {
  readonly num_train_timesteps: number;
  readonly timestep_spacing: SpacingName;
  readonly steps_offset: number;
}

/** Timesteps of classes over whole steps of a chain, falling. @throws UserError when there are more steps than the chain has */
export function chainTimesteps(
  name: string,
  { num_train_timesteps: train, timestep_spacing, steps_offset }: ChainTimes,
  steps: number,
): number[] {
  checkSteps(name, steps, train);
  switch (timestep_spacing) {
    case 'linspace':
      return [...linspace(0, train - 1, steps)].map(roundHalfEven).reverse();
    case 'leading':
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(train / steps) + steps_offset);
    case 'trailing':
      return descendingRange(train, train / steps).map((t) => roundHalfEven(t) - 1);
  }
}

export function checkSteps(name: string, steps: number, train: number): void {
  if (steps > train)
    throw new UserError(
      `[samplers/compat] ${name}: there are no more steps than the chain has: numInferenceSteps=${steps}, `
        + `num_train_timesteps=${train}. Pass at most ${train}.`,
    );
}

/** The chain from its last step to its first. */
export const wholeChain = (train: number): number[] => Array.from({ length: train }, (_, i) => train - 1 - i);

/** The variance-preserving level of a cumulative product. */
export function levelOfBar(alphaBar: number): NoiseLevel {
  return { alpha: Math.sqrt(alphaBar), sigma: Math.sqrt(1 - alphaBar) };
}

/** The entry of a whole step. @throws UserError when the chain has no such step */
export function barAt(name: string, alphaBars: Float32Array | Float64Array, t: number): number {
  const bar = alphaBars[t];
  if (bar === undefined)
    throw new UserError(
      `[samplers/compat] ${name}: the chain has no such step: t=${t}. Pass one of scheduler.timesteps, whole numbers in `
        + `0..${alphaBars.length - 1}.`,
    );
  return bar;
}

/** The level of a place, by its timestep. */
export function levelAtStep(name: string, alphaBars: Float32Array | Float64Array): (place: { readonly t: number }) => NoiseLevel {
  return ({ t }) => levelOfBar(barAt(name, alphaBars, t));
}

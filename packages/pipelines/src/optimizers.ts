import { adam, adamW, rAdam, type AdamState, type Optimizer } from '@langevin/nn';

/** What a configuration says of an optimiser besides its name and learning rate. */
export interface OptimizerSettings {
  readonly beta1: number;
  readonly beta2: number;
  /** @default the optimiser's own */
  readonly weightDecay?: number;
}

/** The optimisers that a configuration may name: all keep the moments of Adam, so that one kind of checkpoint serves them. */
export const optimizers = Object.freeze({ adam, adamW, rAdam }) satisfies Readonly<
  Record<string, (options: OptimizerSettings) => Optimizer<AdamState>>
>;

export type OptimizerName = keyof typeof optimizers;
export const optimizerNames = Object.keys(optimizers) as readonly OptimizerName[];

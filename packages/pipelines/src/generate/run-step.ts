import type { Tensor } from '@langevin/tensor';

/** What a run yields after each of its steps, whoever leads it. */
export interface RunStep {
  /** Steps so far, and in all; of a scheduler of diffusers each calls the network once. */
  readonly step: number;
  readonly steps: number;
  /** Calls of the network so far, for each picture. */
  readonly calls: number;
  readonly timestep: number;
  readonly x: Tensor;
  /** What the clean state is taken to be. */
  readonly denoised: Tensor;
}

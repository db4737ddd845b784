import type { Generator } from '@langevin/tensor';

/** What set_timesteps takes besides the number of steps; each class accepts the ones that its Python twin has. */
export interface TimestepsOptions {
  readonly numInferenceSteps?: number;
  /**
   * Own timesteps. Of a flow with a shift only the levels that are made of them are shifted, as in Python, so that the network is told
   * other times than those it is at: pass `sigmas` there, or both.
   */
  readonly timesteps?: readonly number[];
  readonly sigmas?: readonly number[];
  /** Shift of a flow for the resolution, as pipelines compute it. */
  readonly mu?: number;
  readonly numTrainTimesteps?: number;
  readonly originalInferenceSteps?: number;
  readonly strength?: number;
  readonly samplingEps?: number;
  readonly jumpLength?: number;
  readonly jumpNSample?: number;
  readonly maxTimesteps?: number;
  readonly intermediateTimesteps?: number | null;
  readonly stageIndex?: number;
  readonly isAmplifyFirstChunk?: boolean;
}

/** What step takes besides model output, timestep and sample; each class accepts the ones that its Python twin has. */
export interface StepOptions<T> {
  /** Draws noise as PyTorch does: one generator for the batch, or one for each item. It advances. */
  readonly generator?: Generator | readonly Generator[];
  /** The noise itself, or a list with one state for each draw of the step; instead of a generator. */
  readonly noise?: T | readonly T[];
  /** For classes whose noise is a Brownian path: its seed, or one for each item; instead of a generator. */
  readonly seed?: number | bigint | readonly (number | bigint)[];
  readonly eta?: number;
  readonly useClippedModelOutput?: boolean;
  readonly sChurn?: number;
  readonly sTMin?: number;
  readonly sTMax?: number;
  readonly sNoise?: number;
  readonly prevTimestep?: number;
  readonly order?: number;
  readonly originalImage?: T;
  readonly mask?: T;
  readonly rTimestep?: number;
  readonly predOriginalSample?: T;
  /** The shape [N, C, ...] of the sample, for classes that resize it. */
  readonly shape?: readonly number[];
  readonly perTokenTimesteps?: readonly number[];
  readonly curSamplingStep?: number;
  readonly dmdNoisyTensor?: T;
  readonly dmdSigmas?: readonly number[];
  readonly dmdTimesteps?: readonly number[];
  readonly allTimesteps?: readonly number[];
}

import type { Mode } from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';

export interface BackboneInputs {
  /** Scaled noisy images [N, C, H, W]. */
  readonly x: Tensor;
  /** Noise conditioning [N]. */
  readonly cNoise: Tensor;
  /** Class of each image, int32 [N]. */
  readonly labels: Tensor;
  readonly mode?: Mode;
}

/** A network as the training task sees it. */
export interface ConditionalBackbone<Params> {
  /** Channels of the images. */
  readonly channels: number;
  /** Side of the images; undefined when any will do. */
  readonly size?: number;
  /** How many classes it knows; undefined when it ignores labels. */
  readonly classes?: number;
  init(generator: Generator): Params;
  apply(params: Params, inputs: BackboneInputs): Tensor;
}

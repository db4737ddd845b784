import type { TransformerFlow } from '@langevin/nn';
import type { Tensor } from '@langevin/tensor';

/** What goes through the blocks of a U-Net: features, what conditions them, and who listens. */
export interface Flow extends TransformerFlow {
  /** [N, C, H, W] */
  readonly x: Tensor;
  /** [N, E]: time, and whatever else is one vector for a picture. */
  readonly embedding: Tensor;
}

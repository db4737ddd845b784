import type { ImageBackbone } from './image-backbone.ts';
import type { EdmDescription } from './edm-description.ts';
import type { Labels } from './labels.ts';

/** All that it takes to sample images: network, weights, and what they were trained for. */
export interface DiffusionModel {
  readonly backbone: ImageBackbone;
  /** float32, in the structure that `backbone.network.init` gives. */
  readonly params: unknown;
  /** The network's configuration, as in `unet/config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly process: EdmDescription;
  /** Absent for models without class labels. */
  readonly labels?: Labels;
}

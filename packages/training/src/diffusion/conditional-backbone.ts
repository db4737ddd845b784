import { parseUnet2dConfig, patched, unet2dFromConfig, type Unet2dParams } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import type { DiffusionTrainingConfig } from './config.ts';

/** A network together with what it expects of images and labels. */
export interface ConditionalBackbone<Params> {
  readonly network: Network<Params>;
  /** Channels of the images. */
  readonly channels: number;
  /** Side of the images; undefined when any will do. */
  readonly size?: number;
  /** How many classes it knows; undefined when it takes no labels. */
  readonly classes?: number;
}

/** The network of a training configuration; its last convolutions start at zero. @throws UserError naming the entry that is wrong */
export function conditionalBackbone({
  backbone,
  patch,
}: Pick<DiffusionTrainingConfig, 'backbone' | 'patch'>): ConditionalBackbone<Unet2dParams> {
  const { inChannels, sampleSize, numClassEmbeds } = parseUnet2dConfig(backbone);
  return {
    network: patched(unet2dFromConfig(backbone, { init: 'zero' }), patch),
    channels: inChannels / patch ** 2,
    ...(typeof sampleSize === 'number' ? { size: sampleSize * patch } : {}),
    ...(numClassEmbeds === null ? {} : { classes: numClassEmbeds }),
  };
}

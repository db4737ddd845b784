import { parseUnet2dConfig, patched, unet2dFromConfig } from '@langevin/backbones';
import { UserError } from '@langevin/tensor';
import type { ConditionalBackbone } from '@langevin/training';

/** A network with the shape of the images it is for. */
export interface ImageBackbone extends ConditionalBackbone<unknown> {
  readonly height: number;
  readonly width: number;
  /** Side of the squares of pixels that the network sees as channels; 1 for none. */
  readonly patch: number;
}

interface BackboneKind {
  /** One sentence for listings. */
  readonly summary: string;
  readonly build: (config: unknown, patch: number) => ImageBackbone;
}

/** Backbones by the `_class_name` of their configuration. */
export const backboneKinds: Readonly<Record<string, BackboneKind>> = Object.freeze({
  UNet2DModel: { summary: 'The U-Net of diffusers: residual blocks, attention, class labels.', build: unet },
});

function unet(json: unknown, patch: number): ImageBackbone {
  const config = parseUnet2dConfig(json);
  const { sampleSize, numClassEmbeds } = config;
  if (sampleSize === null) throw new UserError('[pipelines/backbone] size of the images is missing: sample_size=null. Give the side of the images, or height and width.');
  const [height, width] = typeof sampleSize === 'number' ? [sampleSize, sampleSize] : [sampleSize[0]!, sampleSize[1]!];
  if (config.inChannels !== config.outChannels) {
    throw new UserError(`[pipelines/backbone] a denoiser gives what it is given: in_channels=${config.inChannels}, out_channels=${config.outChannels}. Make them equal.`);
  }
  const channels = config.inChannels / patch ** 2;
  if (!Number.isInteger(channels)) {
    throw new UserError(`[pipelines/backbone] channels do not divide into patches: in_channels=${config.inChannels}, patch=${patch}. Give a multiple of patch * patch.`);
  }
  return {
    // Zeros where a fresh network would only add noise: training starts at the best constant guess.
    network: patched(unet2dFromConfig(json, { init: 'zero' }), patch),
    patch,
    channels,
    height: height * patch,
    width: width * patch,
    ...(height === width ? { size: height * patch } : {}),
    ...(numClassEmbeds === null ? {} : { classes: numClassEmbeds }),
  };
}

export interface BackboneOptions {
  /** Where the configuration is from, for messages. */
  readonly from: string;
  /** Side of the squares of pixels that the network sees as channels. @default 1 */
  readonly patch?: number;
}

/**
 * The backbone that a `config.json` describes.
 *
 * @throws UserError when the class is unknown or an entry is wrong
 */
export function backboneFromConfig(config: unknown, { from, patch = 1 }: BackboneOptions): ImageBackbone {
  const name = typeof config === 'object' && config !== null && '_class_name' in config ? config._class_name : undefined;
  const kind = typeof name === 'string' && Object.hasOwn(backboneKinds, name) ? backboneKinds[name] : undefined;
  if (!kind) throw new UserError(`[pipelines/backbone] unknown backbone: _class_name=${JSON.stringify(name) ?? 'nothing'}, file=${from}. Known: ${Object.keys(backboneKinds).join(', ')}.`);
  try {
    return kind.build(config, patch);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${error.message} File: ${from}.`, { cause: error });
    throw error;
  }
}

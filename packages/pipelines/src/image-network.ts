import { backboneFromConfig, patched, type BackbonePlugin } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { naming } from './naming.ts';

export interface ImageNetworkOptions {
  /** Where the configuration is from, for messages. */
  readonly from: string;
  /** Side of the squares of pixels that the network sees as channels. @default 1 */
  readonly patch?: number;
  /** Kinds of networks to choose from. @default those of @langevin/backbones */
  readonly plugins?: readonly BackbonePlugin[];
}

/**
 * The denoising network of images that a `config.json` describes.
 *
 * @throws UserError naming the file, when its class is unknown, an entry is wrong, or it is not for images of a known size
 */
export function imageNetwork(config: unknown, { from, patch = 1, plugins }: ImageNetworkOptions): Network<unknown> {
  // Zeros where a fresh network would only add noise: training starts at the best constant guess.
  const network = naming(from, () => backboneFromConfig(config, { init: 'zero', ...(plugins && { plugins }) }));
  const refuse = (problem: string, remedy: string): never => {
    throw new UserError(`[pipelines/network] ${problem}, file=${from}. ${remedy}`);
  };
  const { info } = network;
  const channels = info.channels / patch ** 2;
  if (info.size === null)
    return refuse('size of the images is missing: sample_size=null', 'Give the side of the images, or height and width.');
  if (info.outChannels !== info.channels * info.outputs.length)
    return refuse(
      `a denoiser gives what it is given: in_channels=${info.channels}, out_channels=${info.outChannels}`,
      'Make them equal; or give twice as many out where the variance is learned.',
    );
  if (info.time !== 'timestep')
    return refuse(`network takes ${info.time} for its time, which is any number here`, 'Use a network with a positional time embedding.');
  if (!Number.isInteger(channels))
    return refuse(`channels do not divide into patches: in_channels=${info.channels}, patch=${patch}`, 'Give a multiple of patch * patch.');
  return patched(network, patch);
}

/** What pictures a network is for. */
export interface PictureForm {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The pictures that a network of {@link imageNetwork} is for. @throws UserError when it is for pictures of any size */
export function pictureForm({ info: { channels, size } }: Network<unknown>): PictureForm {
  if (size?.length === 2) return { channels, height: size[0]!, width: size[1]! };
  throw new UserError('[pipelines/network] network is not for pictures of one size. Give sample_size in its configuration.');
}

/** How many labels a network knows, one for none included; undefined when it takes none. */
export function labelCount({ info }: Network<unknown>): number | undefined {
  const label = info.conditions['label'];
  return label?.kind === 'label' ? label.count : undefined;
}

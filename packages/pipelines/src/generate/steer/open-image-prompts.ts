import {
  imageProjection,
  readIpAdapterFile,
  withImagePrompts,
  type ImageProjection,
  type ImageProjectionConfig,
  type Unet2dCondition,
} from '@langevin/backbones';
import type { Network } from '@langevin/core';
import { picturePreparation, type ImageEncoder, type PicturePreparation } from '@langevin/encoders';
import { fitWeights, shapesOnly } from '@langevin/nn';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { openAdapter } from '../../adapters/open-adapter.ts';
import { componentOf, openCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint.ts';
import { loadImageEncoder } from '../../checkpoint/load-encoder.ts';
import type { Loaded } from '../../checkpoint/load-network.ts';
import { readChoices } from '../choices.ts';
import type { ImagePromptChoice, OpenOptions, WithParams } from '../product.ts';

/** An IP-Adapter, opened: what leads from pictures to tokens that the network attends to. */
export interface OpenImagePrompt {
  /** Where it lies. */
  readonly from: string;
  readonly encoder: WithParams<ImageEncoder<unknown>>;
  readonly preparation: PicturePreparation;
  readonly kind: ImageProjectionConfig['kind'];
  readonly projection: WithParams<ImageProjection>;
}

const MOST = 8;

/**
 * Adds IP-Adapters to a U-Net.
 *
 * @throws UserError when a file is no IP-Adapter, or is for another network or encoder; UnsupportedError for networks of other kinds
 */
export async function openImagePrompts(
  network: WithParams<Network<unknown>>,
  checkpoint: Checkpoint,
  { imagePrompts = [], hub }: Pick<OpenOptions, 'imagePrompts' | 'hub'>,
): Promise<{ readonly network: WithParams<Network<unknown>>; readonly imagePrompts: readonly OpenImagePrompt[] }> {
  const choices = readChoices<ImagePromptChoice>('imagePrompts', imagePrompts, { most: MOST, names: ['from', 'encoder'] });
  if (choices.length === 0) return { network, imagePrompts: [] };
  if (!('applyWith' in network.module))
    throw new UnsupportedError(
      `[pipelines/model] IP-Adapters are for U-Nets that read a text: folder=${checkpoint.files.label}. Open the model without `
        + `imagePrompts.`,
    );
  const unet = network.module as unknown as Unet2dCondition;
  const prompted = withImagePrompts(unet, { adapters: choices.length });
  const template = prompted.init(shapesOnly).adapters[0]!;
  const opened: OpenImagePrompt[] = [];
  const adapters: (typeof template)[] = [];
  for (const { from, encoder: where } of choices) {
    const file = await openAdapter(from, { hub });
    const { projection: config, projectionEntries, attentionEntries } = readIpAdapterFile(file.tensors);
    const projection = imageProjection(config);
    const { encoder, preparation } = await imageEncoder(checkpoint, where, hub);
    const size = config.kind === 'plain' ? encoder.module.info.pooled : encoder.module.info.size;
    if (config.kind === 'face')
      throw new UnsupportedError(
        `[pipelines/model] IP-Adapters of faces need an encoder of faces: file=${file.from}. Use one of pictures.`,
      );
    if (size !== config.imageSize)
      throw new UserError(
        `[pipelines/model] IP-Adapter was made for another image encoder: file=${file.from}, features=${config.imageSize}, `
          + `encoder=${encoder.component.folder || encoder.component.className} with ${size}. Give its own with { encoder }.`,
      );
    adapters.push(fitWeights(template, attentionEntries, { from: file.from }).params);
    opened.push({
      from: file.from,
      encoder,
      preparation,
      kind: config.kind,
      projection: { module: projection, params: fitWeights(projection.init(shapesOnly), projectionEntries, { from: file.from }).params },
    });
  }
  return {
    network: { module: prompted as Network<unknown>, params: { network: network.params, adapters } },
    imagePrompts: opened,
  };
}

/** The image encoder that is named, else that of the checkpoint, with what its pictures go through. */
async function imageEncoder(
  checkpoint: Checkpoint,
  where: ImagePromptChoice['encoder'],
  hub: OpenOptions['hub'],
): Promise<{ readonly encoder: Loaded<ImageEncoder<unknown>>; readonly preparation: PicturePreparation }> {
  if (where === undefined && !checkpoint.components.has('image_encoder'))
    throw new UserError(
      `[pipelines/model] checkpoint has no image encoder: folder=${checkpoint.files.label}. Say where one is with { from, encoder }.`,
    );
  const other = where === undefined ? undefined : await openCheckpoint(where, hub ? { hub } : {});
  const encoder = await loadImageEncoder(other ?? checkpoint, other === undefined ? 'image_encoder' : 'model');
  const { side } = encoder.module.info;
  const extractor = checkpoint.components.has('feature_extractor') ? componentOf(checkpoint, 'feature_extractor').config : {};
  // As diffusers: what a checkpoint has for its safety checker is for that encoder's size.
  return { encoder, preparation: picturePreparation({ ...extractor, size: side, crop_size: side }) };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noiseRecipe } from '@langevin/diffusion';
import { imageNetwork, labelCount, type DiffusionModel, type Labels } from '@langevin/pipelines';
import { mapTensors, tensor, torchGenerator } from '@langevin/tensor';
import { onTestFinished } from 'vitest';

/** A folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-pipelines-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const TINY_CONFIG = {
  _class_name: 'UNet2DModel',
  sample_size: 4,
  in_channels: 12,
  out_channels: 12,
  block_out_channels: [8],
  down_block_types: ['DownBlock2D'],
  mid_block_type: null,
  up_block_types: ['UpBlock2D'],
  layers_per_block: 1,
  norm_num_groups: 4,
  num_class_embeds: 4,
} as const;

export const TINY_LABELS: Labels = {
  classes: ['cat', 'dog', 'rose', 'oak'],
  categories: [
    { name: 'animals', classes: [0, 1] },
    { name: 'plants', classes: [2, 3] },
  ],
};

/** A model of 8x8 RGB images. `zero` weights make the network answer 0; `random` ones make it depend on all of its inputs. */
export function tinyModel(weights: 'zero' | 'random' = 'random', config: Readonly<Record<string, unknown>> = TINY_CONFIG): DiffusionModel {
  const network = imageNetwork(config, { from: 'the test', patch: 2 });
  const generator = torchGenerator(5);
  const fresh = network.init(generator);
  const params =
    weights === 'zero'
      ? fresh
      : mapTensors(fresh, ({ shape, size }) =>
          tensor(
            generator.normal(size).map((value) => value * 0.3),
            { shape },
          ),
        );
  return {
    network,
    patch: 2,
    params,
    config,
    noise: noiseRecipe({ preconditioning: { name: 'edm', sigmaData: 0.7 } }),
    ...(labelCount(network) === undefined ? {} : { labels: TINY_LABELS }),
  };
}

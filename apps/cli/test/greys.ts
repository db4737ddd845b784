import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeImage } from '@langevin/io/node';
import { temporaryFolder } from './run-cli.ts';

/** A folder with pictures and a configuration that trains on them. */
export interface Greys {
  readonly root: string;
  readonly images: string;
  readonly config: string;
  /** The content of the configuration. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Three grey pictures in each class, and the smallest network that takes them. */
export async function greys(classes: readonly string[] = ['dark', 'light']): Promise<Greys> {
  const root = await temporaryFolder();
  const images = join(root, 'images');
  for (const [k, name] of classes.entries()) await addClass(images, name, 40 + 160 * k);
  const content = {
    name: 'greys',
    seed: 2,
    data: { name: 'picture-folder', folder: images, size: 8 },
    labels: 'folder',
    backbone: {
      _class_name: 'UNet2DModel',
      sample_size: 8,
      block_out_channels: [8],
      down_block_types: ['DownBlock2D'],
      mid_block_type: null,
      up_block_types: ['UpBlock2D'],
      layers_per_block: 1,
      norm_num_groups: 4,
      num_class_embeds: classes.length,
    },
    optimizer: { name: 'adam', learningRate: 0.01 },
    batchSize: 3,
    average: { std: 0.1 },
  };
  const config = join(root, 'greys.json');
  await writeFile(config, JSON.stringify(content));
  return { root, images, config, content };
}

/** Three pictures of about a brightness in a folder of their own. */
export async function addClass(images: string, name: string, brightness: number): Promise<void> {
  await mkdir(join(images, name), { recursive: true });
  for (let i = 0; i < 3; i++)
    await writeImage(join(images, name, `${i}.png`), {
      width: 8,
      height: 8,
      channels: 3,
      data: new Uint8Array(192).fill(brightness + 10 * i),
    });
}

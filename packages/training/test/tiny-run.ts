import type { MemoryDatasetInit } from '@langevin/io';

const SIZE = 8;
const COUNT = 14;

/** 14 images of slanted stripes in two classes: what a network of a few thousand parameters can learn something about. */
function stripes(): MemoryDatasetInit {
  const images = new Uint8Array(COUNT * SIZE * SIZE);
  const labels = new Int32Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    labels[i] = i % 2;
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++)
        images[(i * SIZE + y) * SIZE + x] = (labels[i] === 0 ? x + y + i : x - y + i + SIZE) % 4 < 2 ? 230 : 20;
    }
  }
  return { name: 'stripes', imageShape: [1, SIZE, SIZE], images, labels, classes: ['rising', 'falling'] };
}

/** A run that is as small as one can be and still has everything: classes, attention, dropout, flips, patches, clipping, an average. */
export const TINY = {
  data: stripes(),
  config: {
    name: 'tiny',
    seed: 3,
    data: { name: 'stripes' },
    flip: 'horizontal',
    patch: 2,
    backbone: {
      _class_name: 'UNet2DModel',
      sample_size: 4,
      in_channels: 4,
      out_channels: 4,
      block_out_channels: [8],
      down_block_types: ['AttnDownBlock2D'],
      mid_block_type: null,
      up_block_types: ['UpBlock2D'],
      layers_per_block: 1,
      attention_head_dim: 4,
      norm_num_groups: 4,
      dropout: 0.1,
      resnet_time_scale_shift: 'scale_shift',
      num_class_embeds: 2,
    },
    optimizer: { name: 'adam', learningRate: 0.003, warmUp: 5 },
    clipNorm: 1,
    batchSize: 4,
    average: { std: 0.1 },
  },
} as const;

import { defineData, defineDataSource, type Image, type PictureItem } from '@langevin/io';
import * as v from 'valibot';

const SIZE = 8;
const COUNT = 14;

/** 14 pictures of slanted stripes in two classes: what a network of a few thousand parameters can learn something about. */
export const stripes = defineData({
  name: 'stripes',
  summary: 'Slanted stripes.',
  licences: [{ name: 'CC0-1.0', attribution: 'none asked for' }],
  options: v.strictObject({}),
  open: () =>
    defineDataSource<PictureItem>({
      name: 'stripes',
      kind: 'picture',
      notes: Array.from({ length: COUNT }, (_, i) => ({
        caption: `stripes ${i}`,
        name: `stripes ${i}`,
        group: `stripes ${i}`,
        attributes: { direction: i % 2 === 0 ? 'rising' : 'falling' },
      })),
      load: (i) => ({ image: stripe(i) }),
    }),
});

function stripe(i: number): Image {
  const data = new Uint8Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) data[y * SIZE + x] = (i % 2 === 0 ? x + y + i : x - y + i + SIZE) % 4 < 2 ? 230 : 20;
  return { width: SIZE, height: SIZE, channels: 1, data };
}

/** A run that is as small as one can be and still has everything: classes, attention, dropout, flips, patches, clipping, an average. */
export const TINY_RUN = {
  name: 'tiny',
  seed: 3,
  data: { name: 'stripes' },
  labels: 'direction',
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
    num_class_embeds: 3,
  },
  dropout: { label: 0.2 },
  optimizer: { name: 'adam', learningRate: 0.003, warmUp: 5 },
  clipNorm: 1,
  batchSize: 4,
  accumulate: 2,
  average: { std: 0.1 },
} as const;

import { dit, parseUnet2dConfig, unet2d } from '@langevin/backbones';
import { listenAt, type Network, type Taps } from '@langevin/core';
import { mul, torchGenerator, traceGraph, zeros, type Tensor } from '@langevin/tensor';
import { expect, it } from 'vitest';

const tinyUnet = unet2d(
  parseUnet2dConfig({
    _class_name: 'UNet2DModel',
    sample_size: 8,
    block_out_channels: [8, 8],
    layers_per_block: 1,
    norm_num_groups: 4,
    attention_head_dim: 4,
    down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
    up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
  }),
) as Network<unknown>;
const tinyDit = dit({
  numAttentionHeads: 2,
  attentionHeadDim: 8,
  numLayers: 2,
  sampleSize: 8,
  patchSize: 2,
  inChannels: 3,
}) as Network<unknown>;

it.each([
  ['a U-Net', tinyUnet, ['down_blocks.0', 'down_blocks.1', 'mid_block', 'up_blocks.0', 'up_blocks.1']],
  ['a DiT', tinyDit, ['transformer_blocks.0', 'transformer_blocks.1']],
])('places in %s cost nothing where nobody listens: the same graph by its hash', (_, network, places) => {
  const params = network.init(torchGenerator(0));
  const keyOf = (taps?: Taps): string =>
    traceGraph((x: Tensor) => network.apply(params, x, zeros([1]), taps ? { taps } : {}), [zeros([1, 3, 8, 8])]).key;
  const alone = keyOf();
  expect(keyOf(listenAt({ elsewhere: (value) => mul(value, 0) }))).toBe(alone);
  // A probe sees every place, in the order of the network, and changes nothing; control does.
  const seen: string[] = [];
  const probe = Object.fromEntries(places.map((place) => [place, (value: Tensor) => (seen.push(place), value)]));
  expect(keyOf(listenAt(probe))).toBe(alone);
  expect(seen).toEqual(places);
  for (const place of places) expect(keyOf(listenAt({ [place]: (value) => mul(value, 0.5) }))).not.toBe(alone);
});

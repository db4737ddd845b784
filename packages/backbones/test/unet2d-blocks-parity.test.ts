import { parseUnet2dConfig, unet2d, unet2dFromConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount } from '@langevin/nn';
import { numbers, scalar, setDefaultEngine, tensor, torchGenerator, type Engine } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numbersOf } from './by-rule.ts';
import { readGolden } from './golden.ts';
import { expectRuledNetwork, type RuledGolden } from './ruled-golden.ts';

interface Golden {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly (RuledGolden & { readonly time: readonly number[]; readonly labels: readonly number[] | null })[];
  readonly counts: readonly { readonly config: object; readonly parameters: number }[];
}

const golden = readGolden<Golden>('unet2d-blocks.json');
let engine: Engine;

beforeAll(async () => setDefaultEngine((engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 }))));
afterAll(() => setDefaultEngine(undefined));

test.each(golden.cases.map((each) => [each.name, each] as const))(
  "diffusers' UNet2DModel with blocks of %s: output and gradients",
  async (name, each) => {
    const net = unet2dFromConfig(each.config);
    const conditions = each.labels === null ? {} : { label: tensor(each.labels, { dtype: 'int32' }) };
    await expectRuledNetwork(each, {
      init: net.init,
      inputs: { x: numbersOf(`${name}/x`, [2, net.info.channels, 16, 8]) },
      apply: (params, { x }) => ({ sample: net.apply(params, x!, tensor(each.time), { conditions }) }),
      engine,
      tolerance: golden.tolerance,
    });
  },
  60_000,
);

test('NCSN++ and ADM as published have as many parameters as in diffusers; ADM gives a variance, too', () => {
  for (const { config, parameters } of golden.counts) expect(parameterCount(unet2dFromConfig(config))).toBe(parameters);
  expect(unet2dFromConfig(golden.counts[1]!.config).info.outputs).toEqual(['prediction', 'variance']);
});

const skip = {
  in_channels: 3,
  out_channels: 3,
  block_out_channels: [8, 8],
  norm_num_groups: 4,
  layers_per_block: 1,
  down_block_types: ['SkipDownBlock2D', 'SkipDownBlock2D'],
  up_block_types: ['SkipUpBlock2D', 'SkipUpBlock2D'],
};

test('a network of these blocks that starts at zero gives exactly 0', async () => {
  const net = unet2d(parseUnet2dConfig(skip), { init: 'zero' });
  const y = await numbers(net.apply(net.init(torchGenerator(0)), numbersOf('x', [1, 3, 4, 4]), scalar(3)));
  expect(y.every((value) => value === 0)).toBe(true);
});

test.each([
  [{ in_channels: 4 }, 'a picture beside the features has 3 channels: in_channels=4'],
  [
    {
      block_out_channels: [8, 8, 8],
      down_block_types: ['DownBlock2D', 'SkipDownBlock2D', 'DownBlock2D'],
      up_block_types: ['UpBlock2D', 'UpBlock2D', 'UpBlock2D'],
    },
    'down_block_types[1]=SkipDownBlock2D comes behind another kind',
  ],
  [{ up_block_types: ['SkipUpBlock2D', 'UpBlock2D'] }, 'up_block_types[1]=UpBlock2D comes behind a block that makes one'],
  [
    { down_block_types: ['AttnSkipDownBlock2D', 'SkipDownBlock2D'], attention_head_dim: 8 },
    'attention of AttnSkipDownBlock2D has 32 groups',
  ],
])('%j is refused', (change, message) => {
  expect(() => parseUnet2dConfig({ ...skip, ...change })).toThrow(message);
});

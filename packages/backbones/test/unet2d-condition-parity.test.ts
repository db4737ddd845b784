import { backboneFromConfig, unet2dConditionFromConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount } from '@langevin/nn';
import { setDefaultEngine, tensor, type Engine } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenTensor, numbersOf, type Given } from './by-rule.ts';
import { readGolden } from './golden.ts';
import { expectRuledNetwork, type RuledGolden } from './ruled-golden.ts';

interface Case extends RuledGolden {
  readonly sides: readonly [number, number];
  readonly time: readonly number[];
  readonly conditions: Readonly<Record<string, Given>>;
}

interface Golden {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
  readonly counts: readonly { readonly config: object; readonly parameters: number }[];
}

const golden = readGolden<Golden>('unet2d-condition.json');
let engine: Engine;

beforeAll(async () => setDefaultEngine((engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 }))));
afterAll(() => setDefaultEngine(undefined));

test.each(golden.cases.map((each) => [each.name, each] as const))(
  "diffusers' UNet2DConditionModel, %s: output and gradients",
  async (name, each) => {
    const net = unet2dConditionFromConfig(each.config);
    const labels = 'num_class_embeds' in each.config ? 'classes' : 'numbers';
    const given = Object.entries(each.conditions).map(([key, value]) => [key, givenTensor(`${name}/${key}`, value, { labels })] as const);
    await expectRuledNetwork(each, {
      init: net.init,
      inputs: { x: numbersOf(`${name}/x`, [2, net.info.channels, ...each.sides]), ...Object.fromEntries(given) },
      apply: (params, { x, ...conditions }) => ({ sample: net.apply(params, x!, tensor(each.time), { conditions }) }),
      engine,
      tolerance: golden.tolerance,
    });
  },
  60_000,
);

test('Stable Diffusion 1 and 2, SDXL and its refiner have as many parameters as in diffusers, and counting makes none of them', () => {
  for (const { config, parameters } of golden.counts)
    expect(parameterCount(backboneFromConfig({ _class_name: 'UNet2DConditionModel', ...config }))).toBe(parameters);
  expect(golden.counts.map(({ parameters }) => parameters)).toEqual(expect.arrayContaining([859_520_964, 2_567_463_684]));
});

import { imageProjection, readIpAdapterFile, unet2dConditionFromConfig, withImagePrompts } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fitWeights, shapesOnly } from '@langevin/nn';
import { numbers, setDefaultEngine, tensor, type Engine } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { numbersOf, weightOf } from './by-rule.ts';
import { expectClose, readGolden } from './golden.ts';
import { expectRuledNetwork, type RuledGolden } from './ruled-golden.ts';

interface FileCase extends RuledGolden {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly images: readonly number[];
}

interface PromptedCase extends RuledGolden {
  readonly sides: readonly number[];
  readonly time: readonly number[];
  readonly scales: readonly number[];
  readonly tokens: readonly (readonly number[])[];
}

interface Golden {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly files: readonly FileCase[];
  readonly prompted: readonly PromptedCase[];
}

const golden = readGolden<Golden>('ip-adapter.json');
const { tolerance } = golden;
let engine: Engine;

beforeAll(async () => setDefaultEngine((engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 }))));
afterAll(() => setDefaultEngine(undefined));

test.each(golden.files.map((each) => [each.name, each] as const))(
  '%s: its projection gives the tokens of diffusers',
  async (name, each) => {
    const entries = new Map(Object.entries(each.shapes).map(([key, shape]) => [key, weightOf(`${name}/${key}`, shape)]));
    const file = readIpAdapterFile(entries);
    const module = imageProjection(file.projection);
    const { params } = fitWeights(module.init(shapesOnly), file.projectionEntries);
    const tokens = module.apply(params, numbersOf(`${name}/images`, each.images));
    expect(tokens.shape).toEqual(each.outputs['tokens']!.shape);
    expectClose(await numbers(tokens), each.outputs['tokens']!, { tolerance: tolerance.output, label: name });
    // Its attentions fit a U-Net's, by the numbers that files have.
    const unet = withImagePrompts(unet2dConditionFromConfig(golden.prompted[0]!.config));
    expect(fitWeights(unet.init(shapesOnly).adapters[0]!, file.attentionEntries).account.used).toBe(file.attentionEntries.size);
  },
);

test.each(golden.prompted.map((each) => [each.name, each] as const))(
  "diffusers' UNet2DConditionModel with IP-Adapters, %s: output and gradients",
  async (name, each) => {
    const net = withImagePrompts(unet2dConditionFromConfig(each.config), { adapters: each.tokens.length });
    const prompts = each.tokens.map((shape, i) => [`image_prompt.${i}`, numbersOf(`${name}/image_prompt.${i}`, shape)] as const);
    const scales = each.scales.map((scale, i) => [`image_prompt_scale.${i}`, tensor([scale, scale])] as const);
    await expectRuledNetwork(each, {
      init: net.init,
      inputs: {
        x: numbersOf(`${name}/x`, [2, 4, ...each.sides]),
        text: numbersOf(`${name}/text`, [2, 5, 12]),
        ...Object.fromEntries([...prompts, ...scales]),
      },
      apply: (params, { x, ...conditions }) => ({ sample: net.apply(params, x!, tensor(each.time), { conditions }) }),
      engine,
      tolerance,
    });
  },
  60_000,
);

test('a file that is none is refused by what it lacks', () => {
  const fails =
    (shapes: Readonly<Record<string, readonly number[]>>): (() => unknown) =>
    () =>
      readIpAdapterFile(new Map(Object.entries(shapes).map(([key, shape]) => [key, weightOf(key, shape)])));
  expect(fails({ 'conv_in.weight': [1] })).toThrow(
    'this is no file of an IP-Adapter: image_proj=0 tensors, ip_adapter=0, another: "conv_in.weight"',
  );
  const attention = { 'ip_adapter.1.to_k_ip.weight': [2, 2] };
  expect(fails({ ...attention, 'image_proj.x': [1] })).toThrow('file lacks a tensor that says its sizes: image_proj.latents');
  expect(fails({ ...attention, 'image_proj.proj.weight': [7, 3] })).toThrow('sizes do not divide: image_proj.proj.weight gives 1.75');
  expect(fails({ ...attention, 'image_proj.proj.weight': [7] })).toThrow('image_proj.proj.weight=[7]. It has 2 axes');
  expect(fails({ ...attention, 'image_proj.perceiver_resampler.proj_in.weight': [7] })).toThrow('FaceID Plus');
  expect(fails({ 'image_proj.proj.weight': [4, 3], 'ip_adapter.0.to_k_lora.down.weight': [1] })).toThrow('adapters with a LoRA part');
});

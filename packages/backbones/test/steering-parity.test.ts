import { controlNetFromConfig, steeringFromConfig, steeringPlugins, t2iAdapterFromConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount } from '@langevin/nn';
import { setDefaultEngine, tensor, type Engine } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenTensor, numbersOf, type Given } from './by-rule.ts';
import { readGolden } from './golden.ts';
import { expectRuledNetwork, type RuledGolden } from './ruled-golden.ts';

interface ControlNetCase extends RuledGolden {
  readonly sides: readonly [number, number];
  readonly hint: readonly number[];
  readonly time: readonly number[];
  readonly asked: { readonly scale?: number; readonly emphasis?: 'guess' };
  readonly conditions: Readonly<Record<string, Given>>;
}

interface Golden {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly controlnets: readonly ControlNetCase[];
  readonly adapters: readonly (RuledGolden & { readonly hint: readonly number[] })[];
  readonly counts: readonly { readonly class: string; readonly config: object; readonly parameters: number }[];
}

const golden = readGolden<Golden>('steering.json');
const { tolerance } = golden;
let engine: Engine;

beforeAll(async () => setDefaultEngine((engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 }))));
afterAll(() => setDefaultEngine(undefined));

test.each(golden.controlnets.map((each) => [each.name, each] as const))(
  "diffusers' ControlNetModel, %s: what it gives, and gradients",
  async (name, each) => {
    const net = controlNetFromConfig(each.config);
    const { scale, emphasis } = each.asked;
    const given = Object.entries(each.conditions).map(([key, value]) => [key, givenTensor(`${name}/${key}`, value)] as const);
    await expectRuledNetwork(each, {
      init: net.init,
      inputs: {
        x: numbersOf(`${name}/x`, [2, 4, ...each.sides]),
        hint: numbersOf(`${name}/hint`, each.hint),
        ...Object.fromEntries(given),
      },
      apply: (params, { x, hint, ...conditions }) =>
        net.apply(params, {
          x: x!,
          hint: hint!,
          time: tensor(each.time),
          conditions,
          ...(emphasis && { emphasis }),
          ...(scale !== undefined && { scale: tensor([scale]) }),
        }),
      engine,
      tolerance,
    });
  },
  60_000,
);

test.each(golden.adapters.map((each) => [each.name, each] as const))(
  "diffusers' T2IAdapter, %s: what it gives, and gradients",
  async (name, each) => {
    const net = t2iAdapterFromConfig(each.config);
    await expectRuledNetwork(each, {
      init: net.init,
      inputs: { hint: numbersOf(`${name}/hint`, each.hint) },
      apply: (params, { hint }) => net.apply(params, { hint: hint! }),
      engine,
      tolerance,
    });
  },
  60_000,
);

test('published sizes have as many parameters as in diffusers', () => {
  for (const { class: className, config, parameters } of golden.counts)
    expect(parameterCount(steeringFromConfig({ _class_name: className, ...config }, steeringPlugins))).toBe(parameters);
});

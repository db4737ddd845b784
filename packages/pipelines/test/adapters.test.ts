import { adapted, type Adapter, type WeightDelta } from '@langevin/nn';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { peftSettings, readAdapter, type ReadAdapterOptions } from '@langevin/pipelines';
import {
  conv,
  float32Data,
  namedTensors,
  reshape,
  scalar,
  setDefaultEngine,
  tensor,
  torchGenerator,
  UnsupportedError,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

interface Whole {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
type Wholes = Readonly<Record<string, Whole>>;
const golden = JSON.parse(readFileSync(new URL('golden/adapters.json', import.meta.url), 'utf8')) as {
  readonly weights: Wholes;
  readonly cases: readonly { readonly name: string; readonly settings: object; readonly file: Wholes; readonly merged: Wholes }[];
  readonly convolutions: readonly (Readonly<Record<'x' | 'down' | 'up' | 'y', Whole>> & {
    readonly form: string;
    readonly mid: Whole | null;
  })[];
};
const asTensor = ({ shape, values }: Whole): Tensor => tensor(Float32Array.from(values), { shape });
const all = (wholes: Wholes): Map<string, Tensor> => new Map(Object.entries(wholes).map(([name, whole]) => [name, asTensor(whole)]));

/** Dotted names as a tree. */
function treeOf(tensors: ReadonlyMap<string, Tensor>): object {
  const root: Record<string, unknown> = {};
  for (const [name, value] of tensors) {
    const path = name.split('.');
    const last = path.pop()!;
    let at = root;
    for (const key of path) at = (at[key] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return root;
}

async function expectNear(ours: Tensor, theirs: Whole): Promise<void> {
  expect(ours.shape).toEqual(theirs.shape);
  const values = await float32Data(ours);
  const most = Math.max(...theirs.values.map(Math.abs));
  expect(Math.max(...theirs.values.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThanOrEqual(2e-6 * most);
}

const layers = treeOf(all(golden.weights));
const target = { name: 'unet', params: layers };

/** Random values of a shape; the seed makes them others. */
const random = (shape: readonly number[], seed = 1): Tensor => {
  const size = shape.reduce((total, side) => total * side, 1);
  return tensor(torchGenerator(seed).normal(size), { shape });
};
const rank1 = (
  module: string,
  [up, down]: readonly [string, string],
  [out, into]: readonly [number, number] = [6, 4],
): [string, Tensor][] => [
  [`${module}${up}`, random([out, 1], 2)],
  [`${module}${down}`, random([1, into], 3)],
];
const kohya = ['.lora_up.weight', '.lora_down.weight'] as const;
const read = (tensors: readonly (readonly [string, Tensor])[], more: Partial<ReadAdapterOptions> = {}) =>
  readAdapter({ name: 'mine', tensors: new Map(tensors), targets: [target], ...more });
const deltaAt = async (tensors: readonly (readonly [string, Tensor])[], parameter: string, more: Partial<ReadAdapterOptions> = {}) =>
  (await read(tensors, more)).adapters.get('unet')!.deltas.get(parameter)!;

describe('PEFT', () => {
  test.each(golden.cases)(
    '$name: the file is read as it is, and the weights are those that PEFT merges',
    async ({ settings, file, merged }) => {
      for (const note of ['beside', 'inside'] as const) {
        const { adapters, account } = await readAdapter({
          name: 'mine',
          tensors: all(file),
          targets: [target],
          ...(note === 'beside'
            ? { settings: peftSettings(settings, 'adapter_config.json') }
            : {
                metadata: {
                  lora_adapter_metadata: JSON.stringify(
                    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`unet.${key}`, value])),
                  ),
                },
              }),
        });
        expect(account).toMatchObject({ tensors: Object.keys(file).length, modules: { unet: 3 }, scales: { said: 3, ranks: 0 } });
        const weights = namedTensors(adapted(layers, [adapters.get('unet')!]));
        expect([...weights.keys()].sort()).toEqual(Object.keys(merged).sort());
        for (const [name, value] of weights) await expectNear(value, merged[name]!);
      }
    },
  );
});

test.each(golden.convolutions)('$form convolutions one after another are one of the delta', async ({ x, down, mid, up, y }) => {
  const tensors: [string, Tensor][] = [
    ['lora_unet_conv.lora_down.weight', asTensor(down)],
    ['lora_unet_conv.lora_up.weight', asTensor(up)],
    ...(mid === null ? [] : [['lora_unet_conv.lora_mid.weight', asTensor(mid)] as [string, Tensor]]),
  ];
  const { adapters } = await read(tensors);
  const zero = treeOf(new Map([['conv.weight', tensor(new Float32Array(180), { shape: [5, 4, 3, 3] })]])) as { conv: { weight: Tensor } };
  await expectNear(conv(asTensor(x), adapted(zero, [adapters.get('unet')!]).conv.weight), y);
});

/** Modules as diffusers names them, with names that underscores make alike to the eye. */
const names = {
  'down_blocks.0.resnets.0.conv1': [4, 4, 3, 3],
  'down_blocks.0.resnets.1.conv1': [4, 4, 3, 3],
  'down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q': [6, 4],
  'down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0': [6, 4],
  'down_blocks.1.attentions.0.proj_in': [6, 4],
  'mid_block.attentions.0.proj_in': [6, 4],
  'up_blocks.0.attentions.2.proj_in': [6, 4],
  'up_blocks.0.upsamplers.0.conv': [6, 4, 1, 1],
  'time_embedding.linear_1': [6, 4],
} as const;
const unet = { name: 'unet', params: treeOf(new Map(Object.entries(names).map(([name, shape]) => [`${name}.weight`, random(shape)]))) };
const text = {
  name: 'text_encoder',
  params: treeOf(new Map([['text_model.encoder.layers.0.self_attn.q_proj.weight', random([6, 4])]])),
};
const text2 = { name: 'text_encoder_2', params: text.params };
const attention = 'down_blocks.1.attentions.0.transformer_blocks.0.attn1';

describe('spellings', () => {
  test.each([
    ['kohya', `lora_unet_${attention.replaceAll('.', '_')}_to_q`, kohya, 'unet', `${attention}.to_q`],
    ['kohya, of an output', `lora_unet_${attention.replaceAll('.', '_')}_to_out_0`, kohya, 'unet', `${attention}.to_out.0`],
    ['LyCORIS', `lycoris_${attention.replaceAll('.', '_')}_to_q`, kohya, 'unet', `${attention}.to_q`],
    ['sgm', 'lora_unet_input_blocks_4_1_proj_in', kohya, 'unet', 'down_blocks.1.attentions.0.proj_in'],
    ['sgm, the middle', 'lora_unet_middle_block_1_proj_in', kohya, 'unet', 'mid_block.attentions.0.proj_in'],
    ['sgm, up', 'lora_unet_output_blocks_2_1_proj_in', kohya, 'unet', 'up_blocks.0.attentions.2.proj_in'],
    ['sgm, the time', 'lora_unet_time_embed_0', kohya, 'unet', 'time_embedding.linear_1'],
    ['PEFT', `base_model.model.${attention}.to_q`, ['.lora_B.weight', '.lora_A.weight'], 'unet', `${attention}.to_q`],
    [
      'PEFT, named',
      `base_model.model.${attention}.to_q`,
      ['.lora_B.default.weight', '.lora_A.default.weight'],
      'unet',
      `${attention}.to_q`,
    ],
    ['diffusers', `unet.${attention}.to_q`, ['.lora_B.weight', '.lora_A.weight'], 'unet', `${attention}.to_q`],
    ['diffusers, old', `unet.${attention}.processor.to_q`, ['_lora.up.weight', '_lora.down.weight'], 'unet', `${attention}.to_q`],
    ['diffusers, oldest', `${attention}.processor.to_out`, ['_lora.up.weight', '_lora.down.weight'], 'unet', `${attention}.to_out.0`],
    ['diffusers, middle-aged', `unet.${attention}.to_q`, ['.lora.up.weight', '.lora.down.weight'], 'unet', `${attention}.to_q`],
    ['Comfy', `diffusion_model.${attention}.to_q`, ['.lora_B.weight', '.lora_A.weight'], 'unet', `${attention}.to_q`],
    [
      'kohya, text',
      'lora_te_text_model_encoder_layers_0_self_attn_q_proj',
      kohya,
      'text_encoder',
      'text_model.encoder.layers.0.self_attn.q_proj',
    ],
    [
      'kohya, text 1',
      'lora_te1_text_model_encoder_layers_0_self_attn_q_proj',
      kohya,
      'text_encoder',
      'text_model.encoder.layers.0.self_attn.q_proj',
    ],
    [
      'kohya, text 2',
      'lora_te2_text_model_encoder_layers_0_self_attn_q_proj',
      kohya,
      'text_encoder_2',
      'text_model.encoder.layers.0.self_attn.q_proj',
    ],
    [
      'diffusers, text',
      'text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj',
      ['.lora_linear_layer.up.weight', '.lora_linear_layer.down.weight'],
      'text_encoder_2',
      'text_model.encoder.layers.0.self_attn.q_proj',
    ],
    [
      'diffusers, old text',
      'text_encoder.text_model.encoder.layers.0.self_attn.to_q',
      ['_lora.up.weight', '_lora.down.weight'],
      'text_encoder',
      'text_model.encoder.layers.0.self_attn.q_proj',
    ],
  ] as const)('%s', async (_, module, ends, component, wanted) => {
    const { adapters, account } = await read(rank1(module, ends), { targets: [unet, text, text2] });
    expect([...adapters.keys()]).toEqual([component]);
    expect([...adapters.get(component)!.deltas.keys()]).toEqual([`${wanted}.weight`]);
    expect(account).toEqual({ tensors: 2, modules: { [component]: 1 }, scales: { said: 0, ranks: 1 }, kinds: ['low-rank'] });
  });

  test('a name that could mean two modules is refused, and told by dots', async () => {
    const params = treeOf(
      new Map([
        ['a.b_c.weight', random([6, 4])],
        ['a_b.c.weight', random([6, 4])],
      ]),
    );
    const targets = [{ name: 'unet', params }];
    await expect(read(rank1('lora_unet_a_b_c', kohya), { targets })).rejects.toThrow('a name means several modules: name=a_b_c');
    expect([...(await read(rank1('unet.a.b_c', kohya), { targets })).adapters.get('unet')!.deltas.keys()]).toEqual(['a.b_c.weight']);
  });
});

describe('modules that are several in one', () => {
  const at = { single: 'single_transformer_blocks.0', double: 'transformer_blocks.1' };
  const modules: Readonly<Record<string, readonly number[]>> = {
    [`${at.single}.attn.to_q`]: [2, 3],
    [`${at.single}.attn.to_k`]: [2, 3],
    [`${at.single}.attn.to_v`]: [2, 3],
    [`${at.single}.proj_mlp`]: [4, 3],
    [`${at.double}.attn.add_q_proj`]: [2, 3],
    [`${at.double}.attn.add_k_proj`]: [2, 3],
    [`${at.double}.attn.add_v_proj`]: [2, 3],
    'norm_out.linear': [6, 3],
  };
  const params = treeOf(
    new Map(
      Object.entries(modules).flatMap(([name, shape]) => [
        [`${name}.weight`, random(shape, 7)],
        [`${name}.bias`, random([shape[0]!], 8)],
      ]),
    ),
  );
  const transformer = { name: 'transformer', params };
  const parts = (fused: Float32Array, sizes: readonly number[]): readonly Float32Array[] =>
    sizes.map((size, i) => {
      const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
      return fused.slice(3 * start, 3 * (start + size));
    });

  test.each([
    ['diffusion_model.single_blocks.0.linear1', ['.lora_B.weight', '.lora_A.weight'], [2, 2, 2, 4], Object.keys(modules).slice(0, 4)],
    ['lora_unet_single_blocks_0_linear1', kohya, [2, 2, 2, 4], Object.keys(modules).slice(0, 4)],
    ['lora_unet_double_blocks_1_txt_attn_qkv', kohya, [2, 2, 2], Object.keys(modules).slice(4, 7)],
    ['diffusion_model.joint_blocks.1.context_block.attn.qkv', kohya, [2, 2, 2], Object.keys(modules).slice(4, 7)],
  ] as const)('%s gives each its rows, with the down matrix shared', async (module, ends, sizes, wanted) => {
    const rows = sizes.reduce((a, b) => a + b, 0);
    const tensors = [...rank1(module, ends, [rows, 3]), [`${module}.diff_b`, random([rows], 4)] as const];
    const adapter = (await read(tensors, { targets: [transformer] })).adapters.get('transformer')!;
    expect([...adapter.deltas.keys()]).toEqual([...wanted.map((name) => `${name}.weight`), ...wanted.map((name) => `${name}.bias`)]);
    const [up, down] = [await float32Data(tensors[0]![1]), await float32Data(tensors[1]![1])];
    const whole = Float32Array.from({ length: 3 * rows }, (_, k) => up[Math.floor(k / 3)]! * down[k % 3]!);
    const [before, after] = [namedTensors(params), namedTensors(adapted(params, [adapter]))];
    for (const [i, delta] of parts(whole, sizes).entries()) {
      const [was, is] = [await float32Data(before.get(`${wanted[i]!}.weight`)!), await float32Data(after.get(`${wanted[i]!}.weight`)!)];
      is.forEach((value, k) => expect(value).toBeCloseTo(was[k]! + delta[k]!, 5));
    }
  });

  test('norms of outputs go with their rows, those of inputs are refused', async () => {
    const module = 'lora_unet_single_blocks_0_linear1';
    const pair = rank1(module, kohya, [10, 3]);
    const norms = Float32Array.from({ length: 10 }, (_, i) => i + 1);
    const tensors = [...pair, [`${module}.dora_scale`, tensor(norms, { shape: [10, 1] })] as const];
    const adapter = (await read(tensors, { targets: [transformer] })).adapters.get('transformer')!;
    const after = namedTensors(adapted(params, [adapter]));
    const mlp = await float32Data(after.get(`${at.single}.proj_mlp.weight`)!);
    for (let row = 0; row < 4; row++) expect(Math.hypot(...mlp.slice(3 * row, 3 * row + 3))).toBeCloseTo(7 + row, 4);
    await expect(read([...pair, [`${module}.dora_scale`, random([1, 3])]], { targets: [transformer] })).rejects.toThrow(
      'norms of inputs belong to several parameters in one',
    );
  });

  test('scale and shift of the last norm change places', async () => {
    const diff = random([6, 3], 9);
    const adapter = (await read([['diffusion_model.final_layer.adaLN_modulation.1.diff', diff]], { targets: [transformer] })).adapters.get(
      'transformer',
    )!;
    const [was, is] = [
      await float32Data(namedTensors(params).get('norm_out.linear.weight')!),
      await float32Data(namedTensors(adapted(params, [adapter])).get('norm_out.linear.weight')!),
    ];
    const given = await float32Data(diff);
    is.forEach((value, k) => expect(value).toBeCloseTo(was[k]! + given[(k + 9) % 18]!, 5));
  });
});

describe('scales', () => {
  const file = (module: string, rank: number, alpha?: number): [string, Tensor][] => [
    [`lora_unet_${module}.lora_up.weight`, random([module === 'wide' ? 6 : 4, rank])],
    [`lora_unet_${module}.lora_down.weight`, random([rank, 4])],
    ...(alpha === undefined ? [] : [[`lora_unet_${module}.alpha`, scalar(alpha)] as [string, Tensor]]),
  ];

  test('are alpha / rank of each module, and 1 without alpha, with other ranks in the same file', async () => {
    const { adapters, account } = await read([...file('wide', 4, 2), ...file('square', 2)]);
    const deltas = adapters.get('unet')!.deltas;
    expect([deltas.get('wide.weight')!.scale, deltas.get('square.weight')!.scale]).toEqual([0.5, 1]);
    expect(account.scales).toEqual({ said: 1, ranks: 1 });
    const other = await read([...file('wide', 4, 94), ...file('square', 2, 123)]);
    expect([...other.adapters.get('unet')!.deltas.values()].map(({ scale }) => scale)).toEqual([23.5, 61.5]);
  });

  test('do not apply to a Kronecker product of two whole matrices', async () => {
    const whole = [
      ['lycoris_wide.lokr_w1', random([2, 2])],
      ['lycoris_wide.lokr_w2', random([3, 2])],
      ['lycoris_wide.alpha', scalar(7)],
    ] as const;
    expect((await deltaAt(whole, 'wide.weight')).scale).toBe(1);
    const factored = [whole[0], ['lycoris_wide.lokr_w2_a', random([3, 2])], ['lycoris_wide.lokr_w2_b', random([2, 2])], whole[2]] as const;
    expect((await deltaAt(factored, 'wide.weight')).scale).toBe(3.5);
  });

  test('a pattern that fits no module, one that is no plain pattern, and settings that are none are refused', async () => {
    const [up, down] = ['.lora_B.weight', '.lora_A.weight'] as const;
    const run = (settings: object) => read(rank1('base_model.model.wide', [up, down]), { settings: peftSettings(settings, 'it') });
    await expect(run({ r: 1, lora_alpha: 2, alpha_pattern: { squares: 3 } })).rejects.toThrow(
      'a pattern fits no module: file=it, alpha_pattern=',
    );
    await expect(run({ r: 1, alpha_pattern: { '(a+)+$': 3 } })).rejects.toThrow('pattern is not a plain one');
    await expect(run({ r: 1, lora_alpha: 'much' })).rejects.toThrow('setting is no number above 0: file=it, lora_alpha="much"');
    await expect(read(rank1('wide', [up, down]), { metadata: { lora_adapter_metadata: '{' } })).rejects.toThrow(
      'settings of PEFT are broken',
    );
    const anchored = await read(rank1('wide', [up, down]), {
      settings: peftSettings({ r: 1, lora_alpha: 2, alpha_pattern: { '^wide$': 6 } }, 'it'),
    });
    expect(anchored.adapters.get('unet')!.deltas.get('wide.weight')!.scale).toBe(6);
  });

  test('an alpha that is no number is refused', async () => {
    await expect(read(file('wide', 2, Number.NaN))).rejects.toThrow('alpha is no number');
  });
});

describe('full deltas', () => {
  test('of weights and biases, and of norms, are added', async () => {
    const diffs = [
      ['diffusion_model.wide.diff', random([6, 4], 5)],
      ['diffusion_model.wide.diff_b', random([6], 6)],
    ] as const;
    const { adapters, account } = await read(diffs);
    expect(account.kinds).toEqual(['full']);
    const weights = namedTensors(adapted(layers, [adapters.get('unet')!]));
    for (const [name, of] of [
      ['wide.weight', diffs[0][1]],
      ['wide.bias', diffs[1][1]],
    ] as const) {
      const [before, delta, after] = [golden.weights[name]!.values, await float32Data(of), await float32Data(weights.get(name)!)];
      after.forEach((value, i) => expect(value).toBeCloseTo(before[i]! + delta[i]!, 6));
    }
    const norm = {
      name: 'unet',
      params: treeOf(
        new Map([
          ['norm1.weight', random([4])],
          ['norm1.bias', random([4])],
        ]),
      ),
    };
    const both = [
      ['lora_unet_norm1.w_norm', random([4])],
      ['lora_unet_norm1.b_norm', random([4])],
    ] as const;
    expect([...(await read(both, { targets: [norm] })).adapters.get('unet')!.deltas.keys()]).toEqual(['norm1.weight', 'norm1.bias']);
  });
});

describe('conventions of DoRA', () => {
  const [up, down] = kohya;
  const axis = async (module: string, vector: Tensor, [out, into]: readonly [number, number]): Promise<string> => {
    const tensors = [...rank1(`lora_unet_${module}`, [up, down], [out, into]), [`lora_unet_${module}.dora_scale`, vector]] as const;
    return (await deltaAt(tensors as readonly (readonly [string, Tensor])[], `${module}.weight`)).magnitude!.axis;
  };

  test('are told by the shape of the norms, and a list of a square layer is taken for inputs', async () => {
    expect(await axis('wide', random([1, 4]), [6, 4])).toBe('input');
    expect(await axis('wide', random([6, 1]), [6, 4])).toBe('output');
    expect(await axis('wide', random([6]), [6, 4])).toBe('output');
    expect(await axis('wide', random([4]), [6, 4])).toBe('input');
    expect(await axis('square', random([1, 4]), [4, 4])).toBe('input');
    expect(await axis('square', random([4, 1]), [4, 4])).toBe('output');
    expect(await axis('square', random([4]), [4, 4])).toBe('input');
  });

  test('norms are of W + delta, and strength goes from W to there and beyond', async () => {
    const delta: WeightDelta = {
      ...{ kind: 'low-rank', up: random([6, 1], 2), down: random([1, 4], 3) },
      magnitude: { vector: tensor(Float32Array.of(1, 2, 3, 4), { shape: [1, 4] }), axis: 'input' },
    };
    const weights = async (strength: number): Promise<Float32Array> =>
      float32Data(namedTensors(adapted(layers, [{ name: 'd', deltas: new Map([['wide.weight', delta]]), strength }])).get('wide.weight')!);
    const [none, one, away] = [await weights(0), await weights(1), await weights(-1)];
    for (let column = 0; column < 4; column++)
      expect(Math.hypot(...Array.from({ length: 6 }, (_, row) => one[4 * row + column]!))).toBeCloseTo(column + 1, 5);
    away.forEach((value, i) => expect(value).toBeCloseTo(2 * none[i]! - one[i]!, 5));
  });
});

describe('several adapters', () => {
  const make = async (name: string, seed: number) => {
    const tensors = [
      ['lora_unet_wide.lora_up.weight', random([6, 2], seed)],
      ['lora_unet_wide.lora_down.weight', random([2, 4], seed + 1)],
    ] as const;
    return (await read(tensors, { name })).adapters.get('unet')!;
  };
  const bits = async (adapters: readonly Adapter[]): Promise<Float32Array> =>
    (await float32Data(namedTensors(adapted(layers, adapters)).get('wide.weight')!)).slice();

  test('in any order give the same bits; without them the parameters are the same tensors', async () => {
    const [a, b, c] = [await make('a', 1), { ...(await make('b', 3)), strength: -0.7 }, { ...(await make('c', 5)), strength: 5 }];
    const first = await bits([a, b, c]);
    expect(await bits([c, a, b])).toEqual(first);
    expect(await bits([b, c, a])).toEqual(first);
    for (let cycle = 0; cycle < 10; cycle++) await bits([a, b, c]);
    expect(namedTensors(adapted(layers, [])).get('wide.weight')).toBe(namedTensors(layers).get('wide.weight'));
    expect(namedTensors(adapted(layers, [{ ...a, strength: 0 }])).get('wide.weight')).toBe(namedTensors(layers).get('wide.weight'));
    expect(namedTensors(adapted(layers, [a])).get('square.weight')).toBe(namedTensors(layers).get('square.weight'));
    expect(await float32Data(namedTensors(layers).get('wide.weight')!)).toEqual(Float32Array.from(golden.weights['wide.weight']!.values));
  });

  test('strengths are by component and by parameter', async () => {
    const tensors = [
      ...rank1(`unet.${attention}.to_q`, kohya),
      ...rank1('text_encoder.text_model.encoder.layers.0.self_attn.q_proj', kohya),
    ];
    const { adapters } = await read(tensors, { targets: [unet, text], strength: { unet: 0.5 } });
    expect([adapters.get('unet')!.strength, adapters.get('text_encoder')!.strength]).toEqual([0.5, 1]);
    await expect(read(tensors, { targets: [unet, text], strength: { unit: 2 } })).rejects.toThrow(
      'component="unit". Known: unet, text_encoder',
    );
    const a = await make('a', 1);
    const asked: string[] = [];
    adapted(layers, [{ ...a, strength: (parameter) => (asked.push(parameter), 2) }]);
    expect(asked).toEqual(['wide.weight']);
  });

  test('of one name, or with a strength that is no number, are refused', async () => {
    const a = await make('a', 1);
    expect(() => adapted(layers, [a, a])).toThrow('[nn/adapters] each adapter has a name of its own: name="a"');
    expect(() => adapted(layers, [{ ...a, strength: Number.NaN }])).toThrow('strength is out of range');
    expect(() => adapted({ other: random([2]) }, [a])).toThrow('model has no such parameter: adapter=a, parameter=wide.weight');
  });
});

describe('what is refused', () => {
  const [up, down] = ['lora_unet_wide.lora_up.weight', 'lora_unet_wide.lora_down.weight'] as const;
  const good = [
    [up, random([6, 2])],
    [down, random([2, 4])],
  ] as const;

  test.each([
    ['a file for another model', [['lora_unet_other.lora_up.weight', random([6, 2])]], 'nothing in the file is for this model'],
    ['no adapter at all', [['wide.weight', random([6, 4])]], 'nothing in the file is for this model'],
    ['an empty file', [], 'nothing in the file is for this model: file=the adapter, tensors=0'],
    ['a tensor that is not for the model', [...good, ['lora_unet_other.alpha', scalar(1)]], 'tensors of the file are not for this model'],
    ['one half', [good[0]], 'part of a delta is missing: file=the adapter, module=lora_unet_wide, part=down'],
    ['alpha alone', [['lora_unet_wide.alpha', scalar(1)]], 'part of a delta is alone'],
    ['two kinds for one module', [...good, ['lora_unet_wide.hada_w1_a', random([6, 2])]], 'part of a delta is alone'],
    ['the same twice', [...good, ['unet.wide.lora_B.weight', random([6, 2])]], 'two tensors say the same'],
    ['a middle without its product', [['lora_unet_wide.lora_mid.weight', random([2, 2, 3, 3])]], 'part of a delta is alone'],
  ] as const)('%s', async (_, tensors, message) => {
    await expect(read(tensors as readonly (readonly [string, Tensor])[])).rejects.toThrow(`[pipelines/adapters] ${message}`);
  });

  test('a dtype that no engine holds, and a delta of another shape, by its name', async () => {
    const tensors = new Map<string, Tensor | { readonly unread: string }>([[up, { unread: 'F64' }], good[1]]);
    await expect(readAdapter({ name: 'mine', tensors, targets: [target] })).rejects.toThrow('dtype=F64');
    for (const [shapes, message] of [
      [
        [
          [5, 2],
          [2, 4],
        ],
        'delta has another shape than its weight: name=wide.weight',
      ],
      [
        [
          [6, 2],
          [2, 5],
        ],
        'delta has another shape than its weight: name=wide.weight',
      ],
      [
        [
          [6, 2],
          [3, 4],
        ],
        'factors do not multiply: name=wide.weight, up=[6, 2], down=[3, 4]',
      ],
      [[[6], [2, 4]], 'factors do not multiply'],
    ] as const) {
      const { adapters } = await read([
        [up, random(shapes[0])],
        [down, random(shapes[1])],
      ]);
      expect(() => adapted(layers, [adapters.get('unet')!])).toThrow(`[nn/adapters] ${message}`);
    }
  });

  test('300 damaged files: each is read or refused as what it is, and the weights stay as they are', async () => {
    const files = golden.cases.map(({ file }) => all(file));
    const numbers = torchGenerator(11).uniform(300 * 8);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const draw = (k: number, below: number): number => Math.floor(numbers[8 * i + k]! * below);
      const tensors = new Map(files[draw(0, files.length)]!);
      const keys = [...tensors.keys()];
      const [key, other] = [keys[draw(1, keys.length)]!, keys[draw(2, keys.length)]!];
      const value = tensors.get(key)!;
      const damage: readonly (() => unknown)[] = [
        () => tensors.delete(key),
        () => tensors.set(key, tensors.get(other)!),
        () => tensors.set(key, reshape(value, [value.size])),
        () => tensors.set(key, reshape(value, [1, ...value.shape])),
        () => tensors.set(key, reshape(value, [...value.shape].reverse())),
        () => tensors.set(key, random(Array.from({ length: draw(4, 5) }, (_, axis) => draw(5 + (axis % 3), 4)))),
        () => tensors.set(key, tensor(new Int32Array(value.size), { dtype: 'int32', shape: value.shape })),
        () => tensors.set(key.slice(0, -draw(4, 9) - 1), value),
        () => tensors.set(`${key.slice(0, key.lastIndexOf('.'))}.alpha`, random([draw(4, 3)])),
        () => tensors.set(key.replace('wide', 'square'), value),
      ];
      damage[draw(3, damage.length)]!();
      try {
        const { adapters } = await readAdapter({ name: 'mine', tensors, targets: [target] });
        adapted(layers, [...adapters.values()]);
      } catch (error) {
        refused += 1;
        expect(error instanceof UserError || error instanceof UnsupportedError, `file ${i}: ${String(error)}`).toBe(true);
        expect((error as Error).message).toMatch(/^\[(?:pipelines|nn)\/adapters\] /u);
      }
    }
    expect(refused).toBeGreaterThan(150);
    for (const [name, value] of namedTensors(layers))
      expect(await float32Data(value)).toEqual(Float32Array.from(golden.weights[name]!.values));
  });
});

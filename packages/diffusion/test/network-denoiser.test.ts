import { dit, parseUnet2dConfig, unet2d } from '@langevin/backbones';
import { bindCondition, type Conditions, defineNetwork, maskOf, type Network, type NoiseLevels, requirePullback } from '@langevin/core';
import { precondition, predictionPreconditioning, tensorAlgebra, vpLinear } from '@langevin/core-schedules';
import { networkDenoiser, noiseRecipe, type NetworkDenoiser } from '@langevin/diffusion';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  concat,
  counterGenerator,
  mapTensors,
  mul,
  numbers,
  reshape,
  scalar,
  setDefaultEngine,
  sum,
  tensor,
  torchGenerator,
  UserError,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));

const CLASSES = 3;
const labels = (...values: number[]): Conditions => ({ label: tensor(Int32Array.from(values), { dtype: 'int32' }) });
const normals = (seed: number, shape: readonly number[]): Tensor =>
  tensor(counterGenerator({ seed, stream: [0] }).normal(shape.reduce((a, b) => a * b)), { shape });
const close = (a: readonly number[], b: readonly number[], tolerance: number): void => {
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(tolerance);
};

const tinyUnet = (outChannels: number): Network<unknown> =>
  unet2d(
    parseUnet2dConfig({
      _class_name: 'UNet2DModel',
      sample_size: 8,
      in_channels: 2,
      out_channels: outChannels,
      block_out_channels: [8, 8],
      layers_per_block: 1,
      norm_num_groups: 4,
      attention_head_dim: 4,
      down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
      up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
      num_class_embeds: CLASSES,
    }),
  ) as Network<unknown>;

const tinyDit = (): Network<unknown> =>
  dit({
    sampleSize: 4,
    patchSize: 2,
    inChannels: 2,
    outChannels: 2,
    numLayers: 1,
    numAttentionHeads: 2,
    attentionHeadDim: 4,
    numEmbedsAdaNorm: CLASSES,
  }) as Network<unknown>;

/** F = (gain + text . direction) x + shift of the time: linear in x, with every kind of gradient. */
const told = defineNetwork({
  info: {
    channels: 1,
    outChannels: 2,
    outputs: ['prediction', 'variance'],
    axes: 'l',
    size: null,
    multiple: 1,
    time: 'sigma',
    conditions: { text: { kind: 'tokens', size: 2 }, label: { kind: 'label', count: CLASSES, none: CLASSES } },
  },
  init: () => ({ gain: scalar(0.7) }),
  apply: (params: { readonly gain: Tensor }, x: Tensor, time: Tensor, { conditions = {} } = {}) => {
    const column = (value: Tensor): Tensor => reshape(value, [x.shape[0]!, 1, 1]);
    const text = column(sum(conditions['text']!, { axes: [1, 2] }));
    const prediction = add(mul(x, add(params.gain, text)), column(time));
    return concat([prediction, mul(x, 0.5)], 1);
  },
} satisfies Network<{ readonly gain: Tensor }>);

/** The same denoiser as core-schedules makes it of a network that is not compiled. */
const byHand = (network: Network<unknown>, params: unknown, conditions: Conditions, noise = noiseRecipe()) =>
  precondition<Tensor>({
    network: (x, cNoise) => network.apply(params, x, cNoise, { conditions }),
    preconditioning: noise.preconditioning,
    algebra: tensorAlgebra(),
  });

describe('the denoiser of a network', () => {
  const network = tinyUnet(2);
  const params = network.init(torchGenerator(3));
  const x = normals(1, [2, 2, 8, 8]);

  it.each([
    ['edm', {}],
    ['epsilon on vp-linear', { process: { name: 'vp-linear' }, prediction: 'epsilon' }],
    ['v on vp-cosine', { process: { name: 'vp-cosine' }, prediction: 'v' }],
    ['flow', { process: { name: 'flow' } }],
    ['trigflow', { process: { name: 'trigflow' } }],
  ])('%s: is cSkip x + cOut F, with one level for all or one for each', async (_, config) => {
    const noise = noiseRecipe(config);
    const denoiser = networkDenoiser({ network, params, noise });
    const reference = byHand(network, params, labels(0, 2), noise);
    const [some, more] = [noise.process.level(0.3), noise.process.level(0.8)];
    for (const at of [some, [more, some]] as NoiseLevels[]) {
      const [expected, found] = [await numbers(await reference(x, at)), await numbers(await denoiser(x, at, labels(0, 2)))];
      close(found, expected, 1e-5 * Math.max(1, ...expected.map(Math.abs)));
    }
    // Levels are inputs of the one graph.
    expect(denoiser.traces()).toBe(1);
    await denoiser.dispose();
  });

  it('asks under several conditions in one batch: the same numbers, a graph for each count, an evaluation for each', async () => {
    const denoiser = networkDenoiser({ network, params, noise: noiseRecipe() });
    const at = { alpha: 1, sigma: 0.8 };
    const conditions = [labels(0, 1), labels(2, 2), labels(1, 0)];
    const parts = await denoiser.batch(x, at, conditions);
    expect(denoiser.traces()).toBe(1);
    expect(denoiser.nfe(at) * conditions.length).toBe(3);
    for (const [i, condition] of conditions.entries())
      close(await numbers(parts[i]!.denoised), await numbers(await denoiser(x, at, condition)), 1e-5);
    expect(denoiser.traces()).toBe(2);
    await denoiser.dispose();
  });

  it('keeps its graphs for other weights where they are inputs', async () => {
    const other = network.init(torchGenerator(4));
    const at = { alpha: 1, sigma: 0.8 };
    const denoiser = networkDenoiser({ network, params, noise: noiseRecipe(), weights: 'input' });
    await denoiser(x, at, labels(0, 1));
    const found = await numbers(await denoiser.withParams(other)(x, at, labels(0, 1)));
    expect(denoiser.traces()).toBe(1);
    close(found, await numbers(await byHand(network, other, labels(0, 1))(x, at)), 1e-5);
    await denoiser.dispose();
  });
});

describe('its gradient', () => {
  /** <D(x), c> by central differences along random directions, against the vector-Jacobian product. */
  const slope = async (
    denoiser: NetworkDenoiser<unknown>,
    { x, at, condition, direction, cotangent }: { x: Tensor; at: NoiseLevels; condition: Conditions; direction: Tensor; cotangent: Tensor },
  ): Promise<number> => {
    // Float32: differences of about 1e-2 are right to 1e-3 or so.
    const h = 1e-2;
    const weights = await numbers(cotangent);
    const along = async (by: number): Promise<number> => {
      const moved = await numbers(await denoiser(add(x, mul(direction, by)), at, condition));
      return moved.reduce((total, value, i) => total + value * weights[i]!, 0);
    };
    return ((await along(h)) - (await along(-h))) / (2 * h);
  };
  const dot = async (a: Tensor, b: Tensor): Promise<number> => {
    const [left, right] = [await numbers(a), await numbers(b)];
    return left.reduce((total, value, i) => total + value * right[i]!, 0);
  };

  it.each([
    ['a U-Net', tinyUnet(2), [2, 2, 8, 8]],
    ['a U-Net that learned the variance', tinyUnet(4), [2, 2, 8, 8]],
    ['a DiT', tinyDit(), [2, 2, 4, 4]],
  ])('of %s by the state: central differences', async (_, network, shape) => {
    // Fresh networks may end in zeros; all weights are moved off them.
    let seed = 20;
    const params = mapTensors(network.init(torchGenerator(3)), (w) => add(w, mul(normals(seed++, w.shape), 0.05)));
    const denoiser = networkDenoiser({ network, params, noise: noiseRecipe({ process: { name: 'vp-linear' } }) });
    const at = vpLinear().level(0.5);
    const [x, cotangent, direction] = [normals(5, shape), normals(6, shape), normals(7, shape)];
    const condition = labels(1, 2);
    const { denoised, variance, vjp } = await requirePullback('test', denoiser)(x, at, condition);
    close(await numbers(denoised), await numbers(await denoiser(x, at, condition)), 1e-6);
    expect(variance?.shape).toEqual(network.info.outputs.length > 1 ? shape : undefined);
    const before = denoiser.traces();
    const pulled = await vjp(cotangent);
    const expected = await slope(denoiser, { x, at, condition, direction, cotangent });
    const found = await dot(pulled.x, direction);
    expect(Math.abs(found - expected)).toBeLessThan(5e-3 * Math.max(1, Math.abs(expected)));
    expect(Math.abs(expected)).toBeGreaterThan(1e-2);
    expect(await numbers(pulled.condition['label']!)).toEqual([0, 0]);
    // One graph, whatever the level and however often.
    await (await denoiser.pullback(x, vpLinear().level(0.2), condition)).vjp(cotangent);
    expect(denoiser.traces()).toBe(before + 1);
    await denoiser.dispose();
  });

  it('by state and condition is exact for a network that is linear in both', async () => {
    const denoiser = networkDenoiser({ network: told, params: told.init(torchGenerator(0)), noise: noiseRecipe() });
    const [x, text] = [tensor([1, -2, 3, 0.5], { shape: [2, 1, 2] }), tensor([0.1, 0.2, 0.3, 0.4], { shape: [2, 1, 2] })];
    const at = { alpha: 1, sigma: 0.5 };
    const cotangent = tensor([1, 2, -1, 4], { shape: [2, 1, 2] });
    const bound = bindCondition(denoiser, { text, ...labels(0, CLASSES) });
    const { variance, vjp } = await bound.pullback!(x, at);
    // EDM at sigma = sigmaData = 0.5: cSkip = 1/2, cOut = 0.5 / sqrt 2, cIn = sqrt 2.
    close(
      await numbers(variance!),
      [1, -2, 3, 0.5].map((value) => value * Math.SQRT2 * 0.5),
      1e-6,
    );
    const pulled = (await vjp(cotangent)) as { readonly x: Tensor; readonly condition: Conditions };
    const gains = [0.7 + 0.3, 0.7 + 0.7];
    close(
      await numbers(pulled.x),
      [1, 2, -1, 4].map((c, i) => c * (0.5 + 0.5 * gains[Math.floor(i / 2)]!)),
      1e-6,
    );
    const slopes = [1 * 1 + 2 * -2, -1 * 3 + 4 * 0.5].map((value) => value * 0.5);
    close(await numbers(pulled.condition['text']!), [slopes[0]!, slopes[0]!, slopes[1]!, slopes[1]!], 1e-6);
    await expect(vjp(zeros([2, 1, 3]))).rejects.toThrow('a cotangent has the form of the state');
    await denoiser.dispose();
  });
});

describe('what does not fit is refused, before anything is computed', () => {
  const denoiser = (): NetworkDenoiser<unknown> =>
    networkDenoiser({ network: told as Network<unknown>, params: told.init(torchGenerator(0)), noise: noiseRecipe() });
  const right = { text: zeros([2, 3, 2]), ...labels(0, 2) };
  const at = { alpha: 1, sigma: 1 };
  const x = zeros([2, 1, 4]);

  it.each([
    ['a label beyond the last', { ...right, ...labels(0, 4) }, 'label=4, count=3. Give integers from 0 to 2, or 3 for none.'],
    ['a negative label', { ...right, ...labels(-1, 0) }, 'label=-1'],
    ['a missing condition', labels(0, 1), 'condition is missing: name=text'],
    ['an unknown one', { ...right, txt: zeros([2]) }, 'name=txt'],
    ['one of another batch', { ...right, ...labels(0) }, 'label=int32[1]'],
  ])('%s', async (_, conditions, says) => {
    await expect(denoiser()(x, at, conditions)).rejects.toThrow(says);
    await expect(denoiser().batch(x, at, [right, conditions])).rejects.toThrow(says);
    await expect(denoiser().pullback(x, at, conditions)).rejects.toThrow(UserError);
  });

  it('states, levels, networks', async () => {
    await expect(denoiser()(zeros([2, 2, 4]), at, right)).rejects.toThrow('x=float32[2, 2, 4]. Pass float32 [N, 1, l].');
    await expect(denoiser()(zeros([0, 1, 4]), at, right)).rejects.toThrow('no state');
    await expect(denoiser()([1] as never, at, right)).rejects.toThrow('no state');
    await expect(denoiser()(x, [at], right)).rejects.toThrow('levels=1, items=2');
    await expect(denoiser()(x, { alpha: -1, sigma: 0 }, right)).rejects.toThrow('alpha: -1');
    const wide = { ...told, info: { ...told.info, outChannels: 3 } } as Network<unknown>;
    expect(() => networkDenoiser({ network: wide, params: {}, noise: noiseRecipe() })).toThrow('outChannels=3');
    expect(() => networkDenoiser({ network: wide, params: {}, noise: noiseRecipe(), weights: 'frozen' as 'input' })).toThrow(UserError);
  });

  it('timesteps that are no index, of a network that knows only those', async () => {
    const indexed = defineNetwork({
      ...told,
      info: { ...told.info, outChannels: 1, outputs: ['prediction'], time: 'index', conditions: {} },
      apply: (params: { readonly gain: Tensor }, state: Tensor, time: Tensor) => {
        expect(time.dtype).toBe('int32');
        return mul(state, params.gain);
      },
    });
    const noise = noiseRecipe({ process: { name: 'discrete-vp' } });
    const whole = networkDenoiser({ network: indexed, params: told.init(torchGenerator(0)), noise });
    const level = noise.process.level(0.5);
    expect((await whole(x, level, {})).shape).toEqual([2, 1, 4]);
    const broken = { preconditioning: predictionPreconditioning({ process: vpLinear(), prediction: 'epsilon' }) };
    await expect(networkDenoiser({ network: indexed, params: told.init(torchGenerator(0)), noise: broken })(x, level, {})).rejects.toThrow(
      'cNoise=',
    );
  });

  it('conditions of different lengths are asked one after another', async () => {
    const longer = { text: normals(8, [2, 5, 2]), [maskOf('text')]: zeros([2, 5], 'bool'), ...labels(1, 1) };
    const one = denoiser();
    const parts = await one.batch(normals(9, [2, 1, 4]), at, [right, longer]);
    expect(parts.length).toBe(2);
    close(await numbers(parts[1]!.denoised), await numbers(await one(normals(9, [2, 1, 4]), at, longer)), 1e-6);
  });
});

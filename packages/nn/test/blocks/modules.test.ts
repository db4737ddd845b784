import {
  activation,
  attention,
  constant,
  conv,
  dropout,
  embedding,
  evalMode,
  fans,
  functional,
  groupNorm,
  linear,
  parameterCount,
  parameterShapes,
  perItem,
  pixelAttention,
  resnetBlock,
  scoped,
  sequential,
  shapesOnly,
  sinusoidalEmbedding,
  trainMode,
  upsample,
  halved,
  type Layer,
} from '@langevin/nn';
import {
  add,
  cast,
  compile,
  float32Data,
  groupNorm as normalizeGroups,
  item,
  mean,
  mul,
  namedTensors,
  numbers,
  ones,
  silu,
  square,
  sum,
  tensor,
  torchGenerator,
  valueAndGrad,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { describe, expect, test, vi } from 'vitest';
import { onCpu } from '../engine.ts';

onCpu();
// Sessions are compiled here, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
const noise = (shape: readonly number[], seed = 1): Tensor =>
  tensor(torchGenerator(seed).normal(shape.reduce((a, b) => a * b, 1)), { shape });

describe('modules', () => {
  test('are frozen, and hold no parameters: one module serves two trees', async () => {
    const layer = linear({ inputs: 2, outputs: 2 });
    expect(Object.isFrozen(layer)).toBe(true);
    const [a, b] = [layer.init(torchGenerator(0)), layer.init(torchGenerator(1))];
    const x = ones([1, 2]);
    expect(await numbers(layer.apply(a, x))).not.toEqual(await numbers(layer.apply(b, x)));
    expect(await numbers(layer.apply(a, x))).toEqual(await numbers(layer.apply(a, x)));
  });

  test('sequential names its parameters as PyTorch does, and passes the mode on', async () => {
    const net = sequential(
      conv({ inputs: 3, outputs: 4, kernel: 1 }),
      activation('relu'),
      sequential(groupNorm({ channels: 4, groups: 2 }), dropout(0.5)),
    );
    expect([...namedTensors(net.init(torchGenerator(0))).keys()]).toEqual(['0.weight', '0.bias', '2.0.weight', '2.0.bias']);
    const params = net.init(torchGenerator(0));
    const trained = await numbers(net.apply(params, noise([1, 3, 8, 8]), trainMode(torchGenerator(3))));
    expect(trained.filter((v) => v === 0).length).toBeGreaterThan(80);
    expect((await numbers(net.apply(params, noise([1, 3, 8, 8])))).some((v) => v === 0)).toBe(false);
  });

  test('an error says where in the network it is', () => {
    const inner: Layer<unknown> = scoped('conv1', conv({ inputs: 3, outputs: 4, kernel: 3 }) as Layer<unknown>);
    const outer = scoped(
      'down',
      functional((x) => inner.apply({ weight: zeros([4, 3, 3, 3]) }, x)),
    );
    expect(() => outer.apply({}, zeros([1, 5, 8, 8]))).toThrow('Traced at down.conv1.');
  });
});

describe('counting', () => {
  test('needs no memory: a layer of 4e10 parameters is counted', () => {
    expect(parameterCount(linear({ inputs: 40_000, outputs: 40_000 }))).toBe(40_000 * 40_001);
  });

  test('gives names and shapes', () => {
    expect([...parameterShapes(attention({ channels: 8, heads: 2, bias: 'none' }))]).toEqual([
      ['to_q.weight', [8, 8]],
      ['to_k.weight', [8, 8]],
      ['to_v.weight', [8, 8]],
      ['to_out.0.weight', [8, 8]],
      ['to_out.0.bias', [8]],
    ]);
  });

  test('a module that draws by itself is told what to do', () => {
    expect(() => shapesOnly.normal(3)).toThrow('Make its parameters with the initialisers');
  });
});

describe('dropout', () => {
  test('drops its share, keeps the mean, and nothing in evaluation', async () => {
    const layer = dropout(0.3);
    const x = ones([100, 100]);
    const values = await numbers(layer.apply({}, x, trainMode(torchGenerator(0))));
    const dropped = values.filter((v) => v === 0).length / values.length;
    // Standard deviation of the share: sqrt(0.21 / 1e4) = 0.0046.
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.02);
    expect(values.every((v) => v === 0 || Math.abs(v - 1 / 0.7) < 1e-6)).toBe(true);
    expect(layer.apply({}, x, evalMode)).toBe(x);
    expect(layer.apply({}, x)).toBe(x);
    expect((await numbers(dropout(1).apply({}, x, trainMode(torchGenerator(0))))).every((v) => v === 0)).toBe(true);
  });

  test('draws anew at every call of a compiled function, and again the same from the same seed', async () => {
    const run = async (): Promise<number[][]> => {
      const mode = trainMode(torchGenerator(5));
      const step = compile((x: Tensor) => dropout(0.5).apply({}, x, mode));
      const first = await numbers(await step(ones([64])));
      const second = await numbers(await step(ones([64])));
      expect(step.counters().traces).toBe(1);
      await step.dispose();
      return [first, second];
    };
    const [first, second] = await run();
    expect(first).not.toEqual(second);
    expect(await run()).toEqual([first, second]);
  });

  test('outside of compile a loss and its gradient, read one after the other, see one mask', async () => {
    const mode = trainMode(torchGenerator(5));
    const x = ones([64]);
    const { value, grad } = valueAndGrad((t: Tensor) => sum(square(dropout(0.5).apply({}, t, mode))))(x);
    const kept = await item(value);
    // Each element that is kept is 2, so it adds 4 to the loss and has the gradient 8.
    const slopes = await numbers(grad);
    expect(slopes.filter((slope) => slope === 8)).toHaveLength(kept / 4);
    expect(new Set(slopes)).toEqual(new Set([0, 8]));
  });

  test('refuses a probability outside of [0, 1]', () => {
    expect(() => dropout(1.5)).toThrow('[nn/dropout] probability is out of range: probability=1.5.');
  });
});

describe('blocks', () => {
  test('AdaGN whose projection is zero is plain group norm', async () => {
    const block = resnetBlock({ inputs: 8, embedding: 4, groups: 2, conditioning: 'scale-shift' });
    const plain = resnetBlock({ inputs: 8, embedding: null, groups: 2 });
    const params = block.init(torchGenerator(0));
    const { time_emb_proj: _, ...rest } = params;
    const silent = { ...rest, time_emb_proj: { weight: zeros([16, 4]), bias: zeros([16]) } };
    const x = noise([2, 8, 4, 4]);
    expect(await numbers(block.apply(silent, x, { embedding: noise([2, 4]) }))).toEqual(
      await numbers(plain.apply(rest, x, { embedding: null })),
    );
  });

  test('a block that starts at zero is its shortcut', async () => {
    const block = resnetBlock({ inputs: 4, embedding: 4, groups: 2, lastInit: 'zero' });
    const pixels = pixelAttention({ channels: 4, groups: 2, lastInit: 'zero' });
    const x = noise([1, 4, 4, 4]);
    expect(await numbers(block.apply(block.init(torchGenerator(0)), x, { embedding: noise([1, 4]) }))).toEqual(await numbers(x));
    expect(await numbers(pixels.apply(pixels.init(torchGenerator(0)), x))).toEqual(await numbers(x));
  });

  test('attention does not care for the order of its context, and sees only what the mask keeps', async () => {
    const layer = attention({ channels: 8, heads: 2, contextChannels: 6 });
    const params = layer.init(torchGenerator(0));
    const x = noise([1, 3, 8]);
    const tokens = await float32Data(noise([1, 4, 6], 2));
    const reversed = tensor(Float32Array.from([3, 2, 1, 0].flatMap((i) => [...tokens.slice(6 * i, 6 * i + 6)])), { shape: [1, 4, 6] });
    const straight = await numbers(layer.apply(params, x, { context: tensor(tokens, { shape: [1, 4, 6] }) }));
    (await numbers(layer.apply(params, x, { context: reversed }))).forEach((v, i) => expect(v).toBeCloseTo(straight[i]!, 5));
    const keepTwo = tensor(Uint8Array.from([1, 1, 0, 0]), { shape: [1, 1, 1, 4], dtype: 'bool' });
    const short = tensor(tokens.slice(0, 12), { shape: [1, 2, 6] });
    const masked = await numbers(layer.apply(params, x, { context: tensor(tokens, { shape: [1, 4, 6] }), mask: keepTwo }));
    (await numbers(layer.apply(params, x, { context: short }))).forEach((v, i) => expect(v).toBeCloseTo(masked[i]!, 5));
  });

  test('a block resamples its shortcut by the mean and by repetition', async () => {
    const x = tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] });
    const at = (resample: 'up' | 'down'): Tensor => {
      const block = resnetBlock({ inputs: 1, embedding: null, groups: 1, lastInit: 'zero', resample });
      return block.apply(block.init(torchGenerator(0)), x, { embedding: null });
    };
    expect(await numbers(at('down'))).toEqual([2.5]);
    expect(await numbers(at('up'))).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  });
});

describe('embeddings of numbers', () => {
  test('at 0 all cosines are 1 and all sines 0', async () => {
    expect(await numbers(sinusoidalEmbedding(zeros([1]), { size: 6 }))).toEqual([1, 1, 1, 0, 0, 0]);
    expect(await numbers(sinusoidalEmbedding(cast(zeros([1]), 'int32'), { size: 5, order: 'sin-cos' }))).toEqual([0, 0, 1, 1, 0]);
  });

  test('one time serves the whole batch, another number of times is refused', async () => {
    expect(await numbers(perItem(tensor([7]), 3, 'time'))).toEqual([7, 7, 7]);
    expect(perItem(zeros([3]), 3, 'time').shape).toEqual([3]);
    expect(() => perItem(zeros([2]), 3, 'time')).toThrow('[nn/perItem] time does not fit the batch: time=[2], batch=3.');
  });
});

test('initialisers: constants draw nothing; a weight without inputs has no fan', async () => {
  const generator = torchGenerator(0);
  const before = JSON.stringify(generator.state());
  expect(await item(mean(constant(3)(generator, [4, 4])))).toBe(3);
  expect(JSON.stringify(generator.state())).toBe(before);
  expect(fans([6, 4, 3, 3])).toEqual({ fanIn: 36, fanOut: 54 });
  expect(() => fans([4])).toThrow('[nn/init] weight has no fan: shape=[4].');
});

test('norms without learned parameters equal the plain op', async () => {
  const layer = groupNorm({ channels: 4, groups: 2, affine: 'none' });
  const x = noise([1, 4, 3, 3]);
  expect(layer.init(torchGenerator(0))).toEqual({});
  expect(await numbers(layer.apply({}, x))).toEqual(await numbers(normalizeGroups(x, { groups: 2, scale: ones([4]), bias: zeros([4]) })));
  expect(await numbers(activation('silu').apply({}, add(x, 0)))).toEqual(await numbers(silu(mul(x, 1))));
});

test.each([
  [() => linear({ inputs: 0, outputs: 3 }), '[nn/linear] inputs is out of range: inputs=0.'],
  [() => conv({ inputs: 4, outputs: 6, kernel: 3, groups: 4 }), '[nn/conv] groups does not divide outputs: groups=4, outputs=6.'],
  [
    () => conv({ inputs: 4, outputs: 6, kernel: [3, 3], axes: 3 }),
    '[nn/conv] kernel does not have one size for each axis: kernel=[3, 3], axes=3.',
  ],
  [() => groupNorm({ channels: 10, groups: 4 }), '[nn/groupNorm] groups does not divide channels: groups=4, channels=10.'],
  [() => attention({ channels: 10, heads: 4 }), '[nn/attention] heads does not divide channels: heads=4, channels=10.'],
  [
    () => pixelAttention({ channels: 10, headSize: 4, groups: 2 }),
    '[nn/pixelAttention] head size does not divide the channels: headSize=4, channels=10.',
  ],
  [() => embedding({ count: 2.5, size: 3 }), '[nn/embedding] count is out of range: count=2.5.'],
  [() => halved(zeros([1, 2, 5, 4])), '[nn/halved] image has an odd side: x=[1, 2, 5, 4].'],
  [() => upsample({ channels: 2 }).apply(upsample({ channels: 2 }).init(shapesOnly), zeros([1, 3, 4, 4])), 'Traced at conv.'],
  [
    () => attention({ channels: 4, heads: 2 }).apply(attention({ channels: 4, heads: 2 }).init(shapesOnly), zeros([3, 4])),
    '[nn/attention] inputs are not batches of tokens: x=[3, 4]',
  ],
  [() => sinusoidalEmbedding(zeros([2, 2]), { size: 8 }), '[nn/sinusoidalEmbedding] input is not a list: t=[2, 2].'],
  [
    () => sinusoidalEmbedding(zeros([2]), { size: 2, frequencyShift: 1 }),
    '[nn/sinusoidalEmbedding] frequencies are not defined: size=2, frequencyShift=1.',
  ],
])('bad input %#', (act, message) => {
  expect(act).toThrow(message);
});

import { fromStateDict, shapesOnly, sinusoidalEmbedding, toStateDict } from '@langevin/nn';
import { float32Data, namedTensors, numbers, realize, tensor, torchGenerator, vjp, type Tensor } from '@langevin/tensor';
import { expect, test, vi } from 'vitest';
import { onCpu } from '../engine.ts';
import { expectClose, golden, largest, toTensor, type Named } from './golden.ts';
import { blocks, initializers, layers } from './modules.ts';

onCpu();
// Sessions are compiled here, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const { tolerance } = golden;
const withoutPrefix = (named: Named): Named =>
  Object.fromEntries(Object.entries(named).map(([key, value]) => [key.replace(/^inner\./, ''), value]));

async function expectFresh(tree: unknown, expected: Named): Promise<void> {
  const fresh = await toStateDict(tree);
  expect([...fresh.keys()].sort()).toEqual(Object.keys(expected).sort());
  for (const [key, value] of Object.entries(expected)) {
    expect(fresh.get(key)!.shape, key).toEqual(value.shape);
    expectClose(fresh.get(key)!.data as Float32Array, value, { tolerance: tolerance.init, label: key });
  }
}

test('every case of the golden file has a module, and every module a case', () => {
  expect(Object.keys(layers).sort()).toEqual(golden.layers.map(({ name }) => name).sort());
  expect(Object.keys(blocks).sort()).toEqual(golden.blocks.map(({ name }) => name).sort());
  expect(Object.keys(initializers).sort()).toEqual(Object.keys(golden.initializers).sort());
});

test.each(golden.layers.map((entry) => [entry.name, entry] as const))(
  '%s: a seed makes the parameters that it makes in PyTorch',
  async (name, entry) => {
    await expectFresh(layers[name]!.init(torchGenerator(golden.seed)), entry.fresh);
  },
);

test.each(Object.entries(golden.initializers))('%s fills as PyTorch does', async (name, expected) => {
  expectClose(await float32Data(initializers[name]!(torchGenerator(golden.seed), expected.shape)), expected, {
    tolerance: tolerance.init,
    label: name,
  });
});

test.each(golden.blocks.map((entry) => [entry.name, entry] as const))(
  '%s: fresh parameters, output and gradients are those of diffusers',
  async (name, entry) => {
    const block = blocks[name]!;
    await expectFresh(block.init(torchGenerator(golden.seed)), withoutPrefix(entry.fresh));
    const state = new Map(Object.entries(withoutPrefix(entry.weights)).map(([key, value]) => [key, toTensor(value)]));
    const params = fromStateDict(block.init(shapesOnly), state);
    const { value, pullback } = vjp((p: unknown, inputs: readonly Tensor[]) => block.run(p, inputs), params, entry.inputs.map(toTensor));
    const [byParams, byInputs] = pullback(toTensor(entry.cotangent));
    const gradients = namedTensors(byParams);
    await realize([value, ...byInputs, ...gradients.values()]);
    expect(value.shape).toEqual(entry.output.shape);
    expectClose(await numbers(value), entry.output, { tolerance: tolerance.float32, label: 'output' });
    // A gradient that is 0 by symmetry is rounding noise of the others.
    const expected = withoutPrefix(entry.gradients);
    const floor = 0.05 * largest(Object.values(expected).flatMap(({ values }) => values));
    for (const [i, g] of entry.inputGradients.entries())
      if (g) expectClose(await numbers(byInputs[i]!), g, { tolerance: tolerance.float32, floor, label: `input ${i}` });
    for (const [key, g] of Object.entries(expected))
      expectClose(await numbers(gradients.get(key)!), g, { tolerance: tolerance.float32, floor, label: key });
  },
);

test('sinusoidal embeddings are those of diffusers, fractions and odd sizes included', async () => {
  for (const { options, times, output } of golden.sinusoidal) {
    const embedded = sinusoidalEmbedding(tensor(times), {
      size: options.embedding_dim,
      order: options.flip_sin_to_cos ? 'cos-sin' : 'sin-cos',
      frequencyShift: options.downscale_freq_shift,
      ...(options.scale !== undefined && { scale: options.scale }),
      ...(options.max_period !== undefined && { maxPeriod: options.max_period }),
    });
    expect(embedded.shape).toEqual(output.shape);
    // Angles reach 1000, where float32 has steps of 6e-5.
    expectClose(await numbers(embedded), output, { tolerance: 1e-4, label: JSON.stringify(options) });
  }
});

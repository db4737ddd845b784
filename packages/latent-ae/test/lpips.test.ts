import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initLpips, lpips, lpipsDistance, lpipsWeights } from '@langevin/latent-ae';
import { checkReconstructionLoss } from '@langevin/latent-ae/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { shapesOnly } from '@langevin/nn';
import { numbersOf, projected, weightsOf } from '@langevin/nn/testing';
import { abs, float32Data, gradients, mapTensors, mul, namedTensors, numbers, setDefaultEngine, sum, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/lpips.json'), 'utf8')) as {
  readonly values: readonly number[];
  readonly gradient: readonly [number, number];
  readonly names: readonly string[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const isHead = (name: string): boolean => name.startsWith('lin');
const params = mapTensors(weightsOf(initLpips(shapesOnly), 'lpips'), (x, _, name) => (isHead(name) ? abs(x) : x));

describe('LPIPS', () => {
  it('is that of PyTorch by the formula, with its gradient', async () => {
    const [a, b] = ['a', 'b'].map((name) => mul(numbersOf(`lpips/${name}`, [2, 3, 20, 17]), 0.5)) as [Tensor, Tensor];
    const values = lpipsDistance(params, { a, b });
    const [slope] = gradients([sum(values)], [b]) as [Tensor];
    const [product, norm] = golden.gradient;
    const [made = NaN, size = NaN] = await numbers(projected('lpips', 'b', slope));
    (await numbers(values)).forEach((value, i) => expect(Math.abs(value / golden.values[i]! - 1)).toBeLessThan(2e-5));
    expect(Math.abs(made - product)).toBeLessThan(1e-4 * norm);
    expect(Math.abs(size / norm - 1)).toBeLessThan(1e-4);
  });

  it('has the names of torchvision and of the published heads, and reads those of its authors', async () => {
    const own = [...namedTensors(initLpips(shapesOnly)).keys()];
    expect(own.filter((name) => !isHead(name)).sort()).toEqual(golden.names.map((name) => `features.${name}`).sort());
    const entries = new Map<string, Tensor>();
    for (const [name, x] of namedTensors(params)) {
      const conv = /^features\.(\d+)\.(.*)$/u.exec(name);
      if (conv) entries.set(`net.slice${sliceOf(Number(conv[1]))}.${conv[1]}.${conv[2]}`, x);
      else entries.set(name, x).set(name.replace(/^lin(\d)/u, 'lins.$1'), x);
    }
    entries.set('scaling_layer.shift', numbersOf('shift', [1, 3, 1, 1]));
    const read = namedTensors(lpipsWeights(entries));
    const bytes = async (x: Tensor): Promise<Buffer> => Buffer.from((await float32Data(x)).buffer);
    const [made, given] = [await bytes(read.get('features.28.weight')!), await bytes(namedTensors(params).get('features.28.weight')!)];
    expect(made.equals(given)).toBe(true);
    entries.delete('lin3.model.1.weight');
    entries.delete('lins.3.model.1.weight');
    expect(() => lpipsWeights(entries, 'half.safetensors')).toThrow(/half\.safetensors.*lin3\.model\.1\.weight/s);
  });

  it('is a loss as others are, 0 for equal pictures and symmetric', async () => {
    await checkReconstructionLoss(lpips({ params }), { shape: [2, 3, 16, 16] });
    const [a, b] = ['c', 'd'].map((name) => numbersOf(name, [1, 3, 16, 16])) as [Tensor, Tensor];
    const of = async (target: Tensor, reconstruction: Tensor) => (await numbers(lpips({ params }).apply({ target, reconstruction })))[0]!;
    expect(await of(a, a)).toBe(0);
    expect(await of(a, b)).toBeCloseTo(await of(b, a), 6);
    expect(() => lpipsDistance(params, { a, b: numbersOf('e', [1, 3, 16, 17]) })).toThrow(/\[latent-ae\/lpips\] pictures do not fit: b=/);
  });
});

/** The slices of the authors' package end where maps are taken. */
function sliceOf(layer: number): number {
  return [4, 9, 16, 23, 30].findIndex((end) => layer < end) + 1;
}

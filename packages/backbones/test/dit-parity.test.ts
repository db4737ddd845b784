import { fromStateDict, shapesOnly, toStateDict, type ParamsOf } from '@langevin/nn';
import { mul, namedTensors, numbers, realize, setDefaultEngine, sum, tensor, torchGenerator, valueAndGrad, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { ditFromConfig } from '@langevin/backbones';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose, largestOf, readGolden, readWeights, toTensor, type GoldenTensor } from './golden.ts';

interface Case {
  readonly name: string;
  readonly config: object;
  readonly x: GoldenTensor;
  readonly time: readonly number[];
  readonly labels: readonly number[];
  readonly output: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly inputGradient: GoldenTensor;
  readonly gradients: Readonly<Record<string, GoldenTensor>>;
}

interface Golden {
  readonly tolerance: { readonly float64: number; readonly float32: number; readonly init: number };
  readonly cases: readonly Case[];
  readonly fresh: readonly { readonly name: string; readonly seed: number; readonly config: object; readonly parameters: Readonly<Record<string, GoldenTensor>> }[];
}

const golden = readGolden<Golden>('dit.json');

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const engines = [
  { name: 'reference', make: async () => referenceEngine(), tolerance: golden.tolerance.float64 },
  { name: 'onnxruntime', make: () => onnxruntimeEngine({ device: 'cpu', threads: 1 }), tolerance: golden.tolerance.float32 },
];
for (const { name: engineName, make, tolerance } of engines) {
  describe(`diffusers' DiTTransformer2DModel on ${engineName}`, () => {
    test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (name, entry) => {
      const engine = await make();
      const net = ditFromConfig(entry.config);
      type Params = ParamsOf<typeof net>;
      const params = fromStateDict(net.init(shapesOnly), readWeights('dit.safetensors', name));
      const classLabels = tensor(entry.labels, { dtype: 'int32' });
      const loss = (at: { params: Params; x: Tensor }): { loss: Tensor; y: Tensor } => {
        const y = net.apply(at.params, at.x, tensor(entry.time), { classLabels });
        return { loss: sum(mul(y, toTensor(entry.cotangent))), y };
      };
      const { value, grad } = valueAndGrad(loss)({ params, x: toTensor(entry.x) });
      const gradients = namedTensors(grad.params);
      await realize([value.y, grad.x, ...gradients.values()], { engine });
      expect(value.y.shape).toEqual(entry.output.shape);
      expectClose(await numbers(value.y), entry.output, { tolerance, label: 'output' });
      expectClose(await numbers(grad.x), entry.inputGradient, { tolerance, label: 'input gradient' });
      const floor = 0.01 * Math.max(...Object.values(entry.gradients).map(largestOf));
      expect([...gradients.keys()].sort()).toEqual(Object.keys(entry.gradients).sort());
      for (const [key, expected] of Object.entries(entry.gradients)) expectClose(await numbers(gradients.get(key)!), expected, { tolerance, floor, label: key });
    }, 60_000);
  });
}

test.each(golden.fresh.map((entry) => [entry.name, entry] as const))('%s: a seed makes the network that it makes in diffusers', async (_, entry) => {
  const fresh = await toStateDict(ditFromConfig(entry.config, { init: 'torch' }).init(torchGenerator(entry.seed)));
  expect([...fresh.keys()].sort()).toEqual(Object.keys(entry.parameters).sort());
  for (const [key, expected] of Object.entries(entry.parameters)) {
    expect(fresh.get(key)!.shape, key).toEqual(expected.shape);
    expectClose([...(fresh.get(key)!.data as Float32Array)], expected, { tolerance: golden.tolerance.init, label: key });
  }
});

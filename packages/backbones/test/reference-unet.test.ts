import { referenceUnet } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount, type ParamsOf } from '@langevin/nn';
import { mul, namedTensors, numbers, realize, setDefaultEngine, sum, torchGenerator, valueAndGrad, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectClose, largestOf, readGolden, toTensor, type GoldenTensor } from './golden.ts';

interface Golden {
  readonly tolerance: { readonly float32: number };
  readonly seed: number;
  readonly parameters: number;
  readonly x: GoldenTensor;
  readonly features: GoldenTensor;
  readonly cotangent: GoldenTensor;
  readonly output: GoldenTensor;
  readonly gradients: Readonly<Record<string, GoldenTensor>>;
}

const golden = readGolden<Golden>('reference-unet.json');

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

test('the benchmark network has the 3,021,699 parameters of its peer', () => {
  expect(golden.parameters).toBe(3_021_699);
  expect(parameterCount(referenceUnet())).toBe(golden.parameters);
});

test('from the same seed it gives the output and the gradients of its peer', async () => {
  const net = referenceUnet({ channels: 8 });
  const loss = (params: ParamsOf<typeof net>): { loss: Tensor; y: Tensor } => {
    const y = net.apply(params, toTensor(golden.x), toTensor(golden.features));
    return { loss: sum(mul(y, toTensor(golden.cotangent))), y };
  };
  const { value, grad } = valueAndGrad(loss)(net.init(torchGenerator(golden.seed)));
  const gradients = namedTensors(grad);
  await realize([value.y, ...gradients.values()]);
  const tolerance = golden.tolerance.float32;
  expectClose(await numbers(value.y), golden.output, { tolerance, label: 'output' });
  const floor = 0.01 * Math.max(...Object.values(golden.gradients).map(largestOf));
  expect([...gradients.keys()].sort()).toEqual(Object.keys(golden.gradients).sort());
  for (const [key, expected] of Object.entries(golden.gradients))
    expectClose(await numbers(gradients.get(key)!), expected, { tolerance, floor, label: key });
}, 60_000);

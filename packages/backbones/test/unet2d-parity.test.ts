import { fromStateDict, parameterCount, parameterShapes, shapesOnly, toStateDict } from '@langevin/nn';
import { cast, setDefaultEngine, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { unet2dFromConfig } from '@langevin/backbones';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose, expectNetwork, readGolden, readWeights, toTensor, type GoldenNetwork, type GoldenTensor } from './golden.ts';

interface Case extends GoldenNetwork {
  readonly labels: GoldenTensor | null;
}

interface Golden {
  readonly tolerance: { readonly float64: number; readonly float32: number; readonly init: number };
  readonly cases: readonly Case[];
  readonly fresh: readonly {
    readonly name: string;
    readonly seed: number;
    readonly config: object;
    readonly parameters: Readonly<Record<string, GoldenTensor>>;
  }[];
  readonly counts: readonly { readonly config: object; readonly parameters: number }[];
}

const golden = readGolden<Golden>('unet2d.json');
const engines = [
  // An interpreter in float64: exact and slow, so it takes two of the cases.
  { name: 'reference', make: async () => referenceEngine(), tolerance: golden.tolerance.float64, cases: golden.cases.slice(0, 2) },
  {
    name: 'onnxruntime',
    make: () => onnxruntimeEngine({ device: 'cpu', threads: 1 }),
    tolerance: golden.tolerance.float32,
    cases: golden.cases,
  },
];

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

function labelsOf({ config, labels }: Case): Tensor | undefined {
  if (labels === null) return undefined;
  return 'num_class_embeds' in config ? cast(toTensor(labels), 'int32') : toTensor(labels);
}

for (const { name: engineName, make, tolerance, cases } of engines) {
  describe(`diffusers' UNet2DModel on ${engineName}`, () => {
    test.each(cases.map((entry) => [entry.name, entry] as const))(
      '%s: output and gradients',
      async (name, entry) => {
        const engine = await make();
        const net = unet2dFromConfig(entry.config);
        const params = fromStateDict(net.init(shapesOnly), readWeights('unet2d.safetensors', name));
        const label = labelsOf(entry);
        const inputs = label ? { conditions: { label } } : {};
        await expectNetwork(entry, { params, apply: (at, x) => net.apply(at, x, tensor(entry.time), inputs), engine, tolerance });
      },
      60_000,
    );
  });
}

test.each(golden.fresh.map((entry) => [entry.name, entry] as const))(
  '%s: a seed makes the network that it makes in diffusers',
  async (_, entry) => {
    const fresh = await toStateDict(unet2dFromConfig(entry.config).init(torchGenerator(entry.seed)));
    expect([...fresh.keys()].sort()).toEqual(Object.keys(entry.parameters).sort());
    for (const [key, expected] of Object.entries(entry.parameters)) {
      expect(fresh.get(key)!.shape, key).toEqual(expected.shape);
      expectClose([...(fresh.get(key)!.data as Float32Array)], expected, { tolerance: golden.tolerance.init, label: key });
    }
  },
);

test('published configurations have as many parameters as in diffusers, and counting makes none of them', () => {
  for (const { config, parameters } of golden.counts) {
    const net = unet2dFromConfig(config);
    expect(parameterCount(net)).toBe(parameters);
    expect(parameterShapes(net).get('conv_in.bias')).toHaveLength(1);
  }
});

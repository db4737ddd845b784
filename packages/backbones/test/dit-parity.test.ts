import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { namedTensors, setDefaultEngine, tensor, torchGenerator } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { ditFromConfig } from '@langevin/backbones';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectClose, expectNetwork, readGolden, readWeights, type GoldenNetwork, type GoldenTensor } from './golden.ts';

interface Case extends GoldenNetwork {
  readonly labels: readonly number[];
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
    test.each(golden.cases.map((entry) => [entry.name, entry] as const))(
      '%s: output and gradients',
      async (name, entry) => {
        const engine = await make();
        const net = ditFromConfig(entry.config);
        const params = fromStateDict(net.init(shapesOnly), readWeights('dit.safetensors', name));
        expect([...namedTensors(params).keys()].sort()).toEqual(Object.keys(entry.gradients).sort());
        const conditions = { label: tensor(entry.labels, { dtype: 'int32' }) };
        await expectNetwork(entry, { params, apply: (at, x) => net.apply(at, x, tensor(entry.time), { conditions }), engine, tolerance });
      },
      60_000,
    );
  });
}

test.each(golden.fresh.map((entry) => [entry.name, entry] as const))(
  '%s: a seed makes the network that it makes in diffusers',
  async (_, entry) => {
    const fresh = await toStateDict(ditFromConfig(entry.config, { init: 'torch' }).init(torchGenerator(entry.seed)));
    expect([...fresh.keys()].sort()).toEqual(Object.keys(entry.parameters).sort());
    for (const [key, expected] of Object.entries(entry.parameters)) {
      expect(fresh.get(key)!.shape, key).toEqual(expected.shape);
      expectClose([...(fresh.get(key)!.data as Float32Array)], expected, { tolerance: golden.tolerance.init, label: key });
    }
  },
);

import {
  boxOf, deform, deformationData, deformationFromData, gaussianTensors, hexPlaneDeformation, mlpDeformation, playback,
  type Deformation, type DeformationConfig, type GaussianTensors,
} from '@langevin/gaussians';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, flattenTree, gradients, mapTensors, mul, numbers, realize, scalar, setDefaultEngine, sin, sum, tensor, tensorsOf, Tensor, torchGenerator } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceleration, samplePlane, variation } from '../src/dynamic/plane.ts';
import { inBothPrecisions, randomScene, uniforms } from '../src/testing/random-scene.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const { single: still } = inBothPrecisions(randomScene({ seed: 21, count: 6, degree: 0 }).gaussians);
const box = boxOf(still);
const small = {
  mlp: mlpDeformation({ box, width: 16, depth: 2 }),
  hexplane: hexPlaneDeformation({ box, resolution: 5, frames: 4, features: 3, width: 8 }),
} as const;
const kinds = ['mlp', 'hexplane'] as const;
const deformationOf = (kind: (typeof kinds)[number]): Deformation<unknown> => small[kind] as Deformation<unknown>;

/** Weights that are all something, heads as well. */
function stirred(deformation: Deformation<unknown>): unknown {
  const next = uniforms(4);
  return mapTensors(deformation.init(torchGenerator(1)), (x) => add(x, tensor(Float32Array.from({ length: x.size }, () => 0.4 * next() - 0.2), { shape: x.shape })));
}

async function plain(tensors: GaussianTensors): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const [name, x] of Object.entries(tensors) as [string, Tensor][]) found[name] = await numbers(x);
  return found;
}

describe.each(kinds)('a deformation: %s', (kind) => {
  const deformation = deformationOf(kind);

  test('at first nothing moves; at time 0 nothing ever does, bit for bit', async () => {
    const start = deformation.init(torchGenerator(0));
    const asset = await plain(gaussianTensors(still));
    expect(await plain(deform(deformation, start, gaussianTensors(still), 0.7))).toEqual(asset);
    const params = stirred(deformation);
    expect(await plain(deform(deformation, params, gaussianTensors(still), 0))).toEqual(asset);
    expect(playback(still, await deformationData(deformation, params))(0)).toEqual(still);
    const later = await plain(deform(deformation, params, gaussianTensors(still), 0.5));
    expect(later['means']).not.toEqual(asset['means']);
    expect([later['sh'], later['opacityLogits']]).toEqual([asset['sh'], asset['opacityLogits']]);
  });

  test('plays from plain data as it computes with tensors, and trains on from it', async () => {
    const params = stirred(deformation);
    const file = await deformationData(deformation, params);
    const data = { ...file, config: JSON.parse(JSON.stringify(file.config)) as DeformationConfig };
    const at = playback(still, data);
    const again = deformationFromData(data);
    for (const time of [0.05, 0.5, 1]) {
      const found = at(time);
      const wanted = await plain(deform(deformation, params, gaussianTensors(still), time));
      for (const name of ['means', 'quaternions', 'logScales'] as const) found[name].forEach((v, i) => expect(Math.abs(v - wanted[name]![i]!)).toBeLessThan(2e-5));
      expect(await plain(deform(again.deformation, again.params, gaussianTensors(still), time))).toEqual(wanted);
    }
  });

  test('has gradients to weights, time and Gaussians: difference quotients', async () => {
    const engine = referenceEngine();
    const { leaves, rebuild } = flattenTree(stirred(deformation));
    const weights = tensorsOf(leaves);
    await realize(weights, { engine });
    const place = new Map(leaves.flatMap((leaf, i) => (weights.includes(leaf as Tensor) ? [[i, weights.indexOf(leaf as Tensor)] as const] : [])));
    const asset = gaussianTensors(still);
    const fn = (xs: readonly Tensor[]): Tensor => {
      const params = rebuild(leaves.map((leaf, i) => (place.has(i) ? xs[2 + place.get(i)!] : leaf)));
      const moved = deform(deformation, params, { ...asset, means: xs[1]! }, xs[0]!);
      const penalty = deformation.penalty ? mul(deformation.penalty(params), 100) : scalar(0);
      return add(penalty, [moved.means, moved.quaternions, moved.logScales].map((x) => sum(sin(mul(x, 2)))).reduce((a, b) => add(a, b)));
    };
    const at = [scalar(0.3), asset.means, ...weights];
    const found = gradients([fn(at)], at);
    await realize(found, { engine });
    const next = uniforms(9);
    // In float64 through the engine: its buffers hold steps that float32 would round away.
    for (const [i, x] of at.entries()) {
      const values = await numbers(x, { engine });
      const direction = values.map(() => 2 * next() - 1);
      const step = 1e-6;
      const value = async (by: number): Promise<number> => {
        const moved = Float64Array.from(values, (v, j) => v + by * direction[j]!);
        const exact = new Tensor(x.shape, 'float32', { kind: 'buffer', engine, buffer: engine.uploadExact(moved, x) });
        const result = fn(at.map((y, j) => (i === j ? exact : y)));
        await realize([result], { engine });
        const source = Tensor.source(result);
        return source.kind === 'buffer' ? engine.exact(source.buffer)[0]! : NaN;
      };
      const slope = ((await value(step)) - (await value(-step))) / (2 * step);
      const wanted = (await numbers(found[i]!, { engine })).reduce((total, g, j) => total + g * direction[j]!, 0);
      expect(Math.abs(slope - wanted), String(i)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted)));
    }
  });

  test('refuses times, weights and configurations that do not fit', async () => {
    expect(() => deform(deformation, deformation.init(torchGenerator(0)), gaussianTensors(still), 1.5)).toThrow('[gaussians/dynamic] time is out of range: time=1.5.');
    const file = await deformationData(deformation, deformation.init(torchGenerator(0)));
    const [name] = Object.keys(file.tensors);
    expect(() => playback(still, { ...file, tensors: {} })).toThrow('[gaussians/dynamic] weight does not fit');
    expect(() => deformationFromData({ ...file, tensors: {} })).toThrow('the deformation lacks');
    expect(() => playback(still, { ...file, tensors: { ...file.tensors, [name!]: { dtype: 'float32', shape: [1], data: Float32Array.of(NaN) } } })).toThrow('weight is not made of finite float32 numbers');
    expect(() => playback(still, { ...file, config: { ...file.config, width: 1e9 } })).toThrow('[gaussians/dynamic] configuration is out of range: width=1000000000.');
    expect(() => playback(still, { ...file, config: { ...file.config, box: { center: [0], radius: 1 } } })).toThrow('box is no cube');
    expect(() => playback(still, { ...file, config: null as never })).toThrow('configuration is no object: config=null');
    if (kind === 'hexplane') expect(() => playback(still, { ...file, config: { ...file.config, penalties: null } })).toThrow('variation=undefined');
    expect(() => playback(still, { ...file, kind: 'spline' })).toThrow('kind=spline. Known: mlp, hexplane.');
  });
});

describe('planes', () => {
  // 3 rows, 2 columns, 1 feature: f(column, row) = column + 10 row.
  const plane = tensor(Float32Array.of(0, 1, 10, 11, 20, 21), { shape: [3, 2, 1] });

  test('are read bilinearly, and held at their edges', async () => {
    const found = samplePlane(plane, tensor([-1, 1, 0, 0.5, -9]), tensor([-1, 1, 0, -0.5, 9]));
    expect(await numbers(found)).toEqual([0, 21, 10.5, 5.75, 20]);
  });

  test('variation and acceleration by hand', async () => {
    expect([await numbers(variation(plane, 0)), await numbers(variation(plane, 1)), await numbers(acceleration(plane))]).toEqual([[100], [1], [0]]);
    expect(await numbers(acceleration(tensor(Float32Array.of(0, 1, 4), { shape: [3, 1, 1] })))).toEqual([4]);
  });

  test('penalties of the first weights are those of the planes of space alone', async () => {
    const params = small.hexplane.init(torchGenerator(0));
    const wanted = params.planes.flatMap(({ xy, xz, yz }) => [xy, xz, yz].flatMap((p) => [variation(p, 0), variation(p, 1)])).reduce((a, b) => add(a, b));
    const [found] = await numbers(small.hexplane.penalty!(params));
    expect(found! / (1e-4 * (await numbers(wanted))[0]!)).toBeCloseTo(1, 5);
  });
});

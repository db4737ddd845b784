import {
  boxOf,
  deform,
  deformationData,
  deformationFromData,
  gaussianTensors,
  hexPlaneDeformation,
  mlpDeformation,
  playback,
  type Deformation,
  type DeformationConfig,
  type GaussianTensors,
} from '@langevin/gaussians';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  add,
  broadcastTo,
  concat,
  flattenTree,
  gradients,
  mapTensors,
  mul,
  numbers,
  realize,
  reshape,
  scalar,
  setDefaultEngine,
  sin,
  slice,
  sum,
  tensor,
  tensorsOf,
  Tensor,
  torchGenerator,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceleration, variation } from '../src/dynamic/plane.ts';
import { PLANE_AXES, planeFeatures, pullPlanes, samplePlanes } from '../src/dynamic/plane-features.ts';
import { inBothPrecisions, randomScene, uniforms } from '../src/testing/random-scene.ts';
import { samplePlane } from './plane-algebra.ts';

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
  return mapTensors(deformation.init(torchGenerator(1)), (x) =>
    add(
      x,
      tensor(
        Float32Array.from({ length: x.size }, () => 0.4 * next() - 0.2),
        { shape: x.shape },
      ),
    ),
  );
}

async function plain(tensors: GaussianTensors): Promise<Record<string, number[]>> {
  const found: Record<string, number[]> = {};
  for (const [name, x] of Object.entries(tensors) as [string, Tensor][]) found[name] = await numbers(x);
  return found;
}

/**
 * Gradients by some of the inputs are difference quotients, in float64 through the engine: its buffers hold steps that float32 would round
 * away.
 */
async function expectQuotients(
  fn: (xs: readonly Tensor[]) => Tensor,
  at: readonly Tensor[],
  by: readonly number[],
  engine: ReturnType<typeof referenceEngine>,
): Promise<void> {
  expect(by.length).toBeGreaterThan(0);
  const found = gradients(
    [fn(at)],
    by.map((i) => at[i]!),
  );
  await realize(found, { engine });
  const next = uniforms(9);
  for (const [k, i] of by.entries()) {
    const x = at[i]!;
    const values = await numbers(x, { engine });
    const direction = values.map(() => 2 * next() - 1);
    const step = 1e-6;
    const value = async (size: number): Promise<number> => {
      const stepped = Float64Array.from(values, (v, j) => v + size * direction[j]!);
      const exact = new Tensor(x.shape, 'float32', { kind: 'buffer', engine, buffer: engine.uploadExact(stepped, x) });
      const result = fn(at.map((y, j) => (i === j ? exact : y)));
      await realize([result], { engine });
      const source = Tensor.source(result);
      return source.kind === 'buffer' ? engine.exact(source.buffer)[0]! : NaN;
    };
    const slope = ((await value(step)) - (await value(-step))) / (2 * step);
    const wanted = (await numbers(found[k]!, { engine })).reduce((total, g, j) => total + g * direction[j]!, 0);
    expect(Math.abs(slope - wanted), String(i)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted)));
  }
}

describe.each(kinds)('a deformation: %s', (kind) => {
  const deformation = deformationOf(kind);

  test('at first nothing moves; at time 0 nothing ever does, bit for bit', async () => {
    const start = deformation.init(torchGenerator(0));
    const asset = await plain(gaussianTensors(still));
    expect(await plain(deform({ deformation, params: start }, gaussianTensors(still), 0.7))).toEqual(asset);
    const params = stirred(deformation);
    expect(await plain(deform({ deformation, params }, gaussianTensors(still), 0))).toEqual(asset);
    expect(playback(still, await deformationData(deformation, params))(0)).toEqual(still);
    const later = await plain(deform({ deformation, params }, gaussianTensors(still), 0.5));
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
      const wanted = await plain(deform({ deformation, params }, gaussianTensors(still), time));
      for (const name of ['means', 'quaternions', 'logScales'] as const)
        found[name].forEach((v, i) => expect(Math.abs(v - wanted[name]![i]!)).toBeLessThan(2e-5));
      expect(await plain(deform(again, gaussianTensors(still), time))).toEqual(wanted);
    }
  });

  test('has gradients to weights, time and Gaussians: difference quotients', async () => {
    const engine = referenceEngine();
    const { leaves, rebuild } = flattenTree(stirred(deformation));
    const weights = tensorsOf(leaves);
    await realize(weights, { engine });
    const place = new Map(
      leaves.flatMap((leaf, i) => (weights.includes(leaf as Tensor) ? [[i, weights.indexOf(leaf as Tensor)] as const] : [])),
    );
    const asset = gaussianTensors(still);
    const paramsOf = (given: readonly Tensor[]): unknown => rebuild(leaves.map((leaf, i) => (place.has(i) ? given[place.get(i)!] : leaf)));
    const moved = ([time, means, ...given]: readonly Tensor[]): Tensor => {
      const { means: m, quaternions, logScales } = deform({ deformation, params: paramsOf(given) }, { ...asset, means: means! }, time!);
      return [m, quaternions, logScales].map((x) => sum(sin(mul(x, 2)))).reduce((a, b) => add(a, b));
    };
    const all = [scalar(0.3), asset.means, ...weights];
    // What goes through host code is float32 there: those of the planes are proved below, in float64 and beside the algebra of ops.
    const inPlanes = (x: Tensor): boolean => kind === 'hexplane' && x.rank !== 1 && !(x.rank === 2 && x !== asset.means);
    await expectQuotients(
      moved,
      all,
      all.flatMap((x, i) => (inPlanes(x) ? [] : [i])),
      engine,
    );
    if (deformation.penalty)
      await expectQuotients(
        (given) => mul(deformation.penalty!(paramsOf(given)), 100),
        weights,
        weights.flatMap((x, i) => (x.rank === 3 ? [i] : [])),
        engine,
      );
  });

  test('refuses times, weights and configurations that do not fit', async () => {
    expect(() => deform({ deformation, params: deformation.init(torchGenerator(0)) }, gaussianTensors(still), 1.5)).toThrow(
      '[gaussians/dynamic] time is out of range: time=1.5.',
    );
    const file = await deformationData(deformation, deformation.init(torchGenerator(0)));
    const [name] = Object.keys(file.tensors);
    expect(() => playback(still, { ...file, tensors: {} })).toThrow('[gaussians/dynamic] weight does not fit');
    expect(() => deformationFromData({ ...file, tensors: {} })).toThrow('the deformation lacks');
    expect(() =>
      playback(still, { ...file, tensors: { ...file.tensors, [name!]: { dtype: 'float32', shape: [1], data: Float32Array.of(NaN) } } }),
    ).toThrow('weight is not made of finite float32 numbers');
    expect(() => playback(still, { ...file, config: { ...file.config, width: 1e9 } })).toThrow(
      '[gaussians/dynamic] configuration is out of range: width=1000000000.',
    );
    expect(() => playback(still, { ...file, config: { ...file.config, box: { center: [0], radius: 1 } } })).toThrow('box is no cube');
    expect(() => playback(still, { ...file, config: null as never })).toThrow('configuration is no object: config=null');
    if (kind === 'hexplane')
      expect(() => playback(still, { ...file, config: { ...file.config, penalties: null } })).toThrow('variation=undefined');
    expect(() => playback(still, { ...file, kind: 'spline' })).toThrow('unknown deformation: "spline"');
  });
});

describe('features of planes', () => {
  const features = 3;
  const next = uniforms(17);
  const between = (length: number, low: number, high: number): Float64Array =>
    Float64Array.from({ length }, () => low + (high - low) * next());
  const scales = (
    [
      [5, 4, 3, 4],
      [2, 7, 6, 2],
    ] as const
  ).map((samples) => ({ samples, planes: PLANE_AXES.map(([a, b]) => between(samples[a] * samples[b] * features, -1, 1)) }));
  // Some lie beyond the planes and are held at their ends.
  const position = between(3 * 40, -1.3, 1.3);
  const time = 0.37;
  const cotangent = between(40 * 2 * features, -1, 1);
  const zeros = () => ({
    position: new Float64Array(position.length),
    planes: scales.map(({ planes }) => planes.map((plane) => new Float64Array(plane.length))),
  });

  test('are bilinear in each plane, held at the ends, and multiplied', () => {
    // f(x, y) = x + 10 y between two samples of 0 and 1 and three of 0, 10 and 20; the other planes are one.
    const planes = PLANE_AXES.map(([a, b]) =>
      a === 0 && b === 1 ? Float64Array.of(0, 1, 10, 11, 20, 21) : new Float64Array([2, 3, 2, 2][a]! * [2, 3, 2, 2][b]!).fill(1),
    );
    const of = (x: number, y: number, scale = 1): number =>
      samplePlanes(
        { position: Float64Array.of(x, y, 0.3), time: -0.2 },
        [{ samples: [2, 3, 2, 2], planes: planes.map((plane, k) => (k === 5 ? plane.map((v) => scale * v) : plane)) }],
        { features: 1, into: new Float64Array(1) },
      )[0]!;
    expect([of(-1, -1), of(1, 1), of(0, 0), of(0.5, -0.5), of(-9, 9), of(0, 0, -2)]).toEqual([0, 21, 10.5, 5.75, 20, -21]);
  });

  test('have the gradients of difference quotients in float64: by planes, positions and the time', () => {
    const value = (given: {
      readonly position?: Float64Array;
      readonly time?: number;
      readonly planes?: readonly (readonly Float64Array[])[];
    }): number =>
      samplePlanes(
        { position: given.position ?? position, time: given.time ?? time },
        scales.map((scale, i) => ({ ...scale, planes: given.planes?.[i] ?? scale.planes })),
        { features, into: new Float64Array(cotangent.length) },
      ).reduce((total, x, i) => total + x * cotangent[i]!, 0);
    const into = zeros();
    const byTime = pullPlanes({ position, time }, scales, { features, cotangent, into });
    const step = 1e-6;
    const quotient = (of: (size: number) => number): number => (of(step) - of(-step)) / (2 * step);
    expect(byTime).toBeCloseTo(
      quotient((size) => value({ time: time + size })),
      6,
    );
    const changed = (array: Float64Array, i: number, size: number): Float64Array => array.map((v, j) => (i === j ? v + size : v));
    position.forEach((v, i) =>
      expect(into.position[i]).toBeCloseTo(
        quotient((size) => value({ position: changed(position, i, size) })),
        6,
      ),
    );
    expect(into.position.filter((v) => v === 0).length).toBe(position.filter((v) => Math.abs(v) > 1).length);
    for (const [s, { planes }] of scales.entries()) {
      for (const [k, plane] of planes.entries()) {
        for (let i = 0; i < plane.length; i += 4) {
          const by = (size: number): number =>
            value({
              planes: scales.map((scale, at) => scale.planes.map((other, of) => (at === s && of === k ? changed(other, i, size) : other))),
            });
          expect(into.planes[s]![k]![i]).toBeCloseTo(quotient(by), 6);
        }
      }
    }
  });

  test('as tensors they are the algebra of ops, and so are their gradients', async () => {
    const of = (data: Float64Array, shape: readonly number[]): Tensor => tensor(Float32Array.from(data), { shape });
    const where = of(position, [40, 3]);
    const when = scalar(time);
    const planes = scales.map(({ samples, planes: all }) => ({
      samples,
      planes: all.map((plane, k) => of(plane, [samples[PLANE_AXES[k]![1]], samples[PLANE_AXES[k]![0]], features])),
    }));
    const along = (axis: number): Tensor =>
      axis === 3 ? broadcastTo(reshape(when, [1]), [40]) : reshape(slice(where, { 1: { start: axis, stop: axis + 1 } }), [40]);
    const slow = concat(
      planes.map((scale) =>
        scale.planes.map((plane, k) => samplePlane(plane, along(PLANE_AXES[k]![0]), along(PLANE_AXES[k]![1]))).reduce((a, b) => mul(a, b)),
      ),
      1,
    );
    const fast = planeFeatures(where, when, planes);
    const inputs = [where, when, ...planes.flatMap((scale) => scale.planes)];
    const weights = of(cotangent, [40, 2 * features]);
    const [wanted, found] = [slow, fast].map((x) => [x, ...gradients([sum(mul(x, weights))], inputs)]) as [Tensor[], Tensor[]];
    await realize([...wanted, ...found]);
    for (const [i, x] of wanted.entries()) {
      const [a, b] = [await numbers(x), await numbers(found[i]!)];
      const largest = Math.max(...a.map(Math.abs));
      expect(largest, String(i)).toBeGreaterThan(0);
      a.forEach((v, j) => expect(Math.abs(v - b[j]!), `${i} ${j}`).toBeLessThan(1e-5 * Math.max(1, largest)));
    }
  });
});

describe('planes', () => {
  // 3 rows, 2 columns, 1 feature: f(column, row) = column + 10 row.
  const plane = tensor(Float32Array.of(0, 1, 10, 11, 20, 21), { shape: [3, 2, 1] });

  test('variation and acceleration by hand', async () => {
    expect([await numbers(variation(plane, 0)), await numbers(variation(plane, 1)), await numbers(acceleration(plane))]).toEqual([
      [100],
      [1],
      [0],
    ]);
    expect(await numbers(acceleration(tensor(Float32Array.of(0, 1, 4), { shape: [3, 1, 1] })))).toEqual([4]);
  });

  test('penalties of the first weights are those of the planes of space alone', async () => {
    const params = small.hexplane.init(torchGenerator(0));
    const wanted = params.planes
      .flatMap(({ xy, xz, yz }) => [xy, xz, yz].flatMap((p) => [variation(p, 0), variation(p, 1)]))
      .reduce((a, b) => add(a, b));
    const [found] = await numbers(small.hexplane.penalty!(params));
    expect(found! / (1e-4 * (await numbers(wanted))[0]!)).toBeCloseTo(1, 5);
  });
});

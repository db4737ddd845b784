import {
  boxOf,
  composeScene,
  deformationData,
  deformationFromData,
  hexPlaneDeformation,
  mlpDeformation,
  playback,
  type Deformation,
} from '@langevin/gaussians';
import { encodeSplats4d, readSplats4d } from '@langevin/io/splats';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, mapTensors, setDefaultEngine, torchGenerator } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inBothPrecisions, randomScene } from '../src/testing/random-scene.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const { single: gaussians } = inBothPrecisions(randomScene({ seed: 3, count: 4, degree: 1 }).gaussians);
const box = boxOf(gaussians);

test.each([
  ['mlp', mlpDeformation({ box, width: 8, depth: 1 }) as Deformation<unknown>],
  ['hexplane', hexPlaneDeformation({ box, resolution: 4, frames: 3, features: 2, width: 4 }) as Deformation<unknown>],
])('a 4D file gives back the motion that was written, bit for bit: %s', async (kind, deformation) => {
  const params = mapTensors(deformation.init(torchGenerator(2)), (x) => add(x, 0.1));
  const data = await deformationData(deformation, params);
  const bytes = encodeSplats4d({ cloud: gaussians, times: { start: 0, end: 2, loop: 'none' }, deformation: data });
  const asset = await readSplats4d(bytes);
  expect(asset.deformation?.kind).toBe(kind);
  const read = playback(asset.cloud, asset.deformation!);
  const written = playback(gaussians, data);
  for (const time of [0, 0.3, 1]) expect(read(time).means).toEqual(written(time).means);
  expect(read(0.3).means).not.toEqual(gaussians.means);
  expect(deformationFromData(asset.deformation!).deformation.config).toEqual(deformation.config);
  const scene = composeScene([{ gaussians }, { gaussians: read, transform: { translation: [5, 0, 0] }, duration: 2 }]);
  expect([...scene(2).means.slice(12)]).toEqual([...written(1).means].map((v, i) => (i % 3 === 0 ? Math.fround(v + 5) : v)));
});

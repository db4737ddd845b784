// A training run that a test starts as a process of its own, to kill it. Arguments: folder, number of steps, strategy or deformation.
import {
  boxOf,
  cpuRasterizer,
  defaultStrategy,
  hexPlaneDeformation,
  mcmcStrategy,
  mlpDeformation,
  trainMotion,
  trainSplats,
  type Deformation,
} from '@langevin/gaussians';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { folderStore } from '@langevin/training/node';
import { movingScene } from './moving-scene.ts';
import { blobs, BUSY, tinyScene } from './tiny-scene.ts';

const [, , folder = '', steps = '', what = ''] = process.argv;
const rasterizer = cpuRasterizer({ threads: 2 });
const common = {
  rasterizer,
  store: folderStore(folder),
  steps: Number(steps),
  start: 'resume',
  background: 'random',
  checkpointEvery: 3,
  logEvery: 1,
} as const;
for await (const event of what === 'mlp' || what === 'hexplane' ? moving(what) : still(what))
  process.stdout.write(`${event.kind} ${event.step}\n`);
await rasterizer.dispose();

async function* still(strategy: string): AsyncGenerator<{ readonly kind: string; readonly step: number }> {
  yield* trainSplats({
    ...common,
    scene: await tinyScene(rasterizer),
    strategy: strategy === 'mcmc' ? mcmcStrategy({ start: 0, every: 4, cap: 60 }) : defaultStrategy(BUSY),
    degree: 1,
    degreeEvery: 8,
  });
}

async function* moving(kind: 'mlp' | 'hexplane'): AsyncGenerator<{ readonly kind: string; readonly step: number }> {
  setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 2 }));
  const scene = await movingScene(rasterizer);
  const gaussians = blobs();
  const box = boxOf(gaussians);
  const deformation = (
    kind === 'mlp'
      ? mlpDeformation({ box, width: 16, depth: 2 })
      : hexPlaneDeformation({ box, resolution: 6, frames: 4, features: 3, width: 8 })
  ) as Deformation<unknown>;
  yield* trainMotion({ ...common, scene: { ...scene, test: scene.test.slice(1, 2) }, gaussians, deformation });
}

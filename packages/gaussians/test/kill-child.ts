// A training run that a test starts as a process of its own, to kill it. Arguments: folder, number of steps, strategy.
import { cpuRasterizer, defaultStrategy, mcmcStrategy } from '@langevin/gaussians';
import { trainSplatsInFolder } from '@langevin/gaussians/node';
import { BUSY, tinyScene } from './tiny-scene.ts';

const [, , folder = '', steps = '', strategy = ''] = process.argv;
const rasterizer = cpuRasterizer({ threads: 2 });
const scene = await tinyScene(rasterizer);
const chosen = strategy === 'mcmc' ? mcmcStrategy({ start: 0, every: 4, cap: 60 }) : defaultStrategy(BUSY);
for await (const event of trainSplatsInFolder({ scene, rasterizer, strategy: chosen, folder, steps: Number(steps), start: 'resume', degree: 1, degreeEvery: 8, background: 'random', checkpointEvery: 3, logEvery: 1 })) {
  process.stdout.write(`${event.kind} ${event.step}\n`);
}
await rasterizer.dispose();

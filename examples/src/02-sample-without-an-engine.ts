// Samplers over plain arrays: no engine, no network. The data are three narrow modes, whose exact denoiser is known.
import { arrayAlgebra, karrasSigmas } from '@langevin/core-schedules';
import { mixture } from '@langevin/core-schedules/testing';
import { ddim, euler, heun, imageNoise, sigmaLevels, startState, trajectory } from '@langevin/samplers';

const COUNT = 300;
const MODES = [-1.2, 0.4, 1.5];
const denoise = mixture(MODES.map((mean, i) => ({ mean: [mean], std: 0.1, weight: [0.3, 0.5, 0.2][i]! }))).denoiser();

const algebra = arrayAlgebra({ items: COUNT }); // 300 images of one number each
const levels = sigmaLevels(karrasSigmas({ steps: 18 }));
const x = await startState({ algebra, noise: imageNoise({ seed: 1 }), at: levels[0]!, like: new Float64Array(COUNT) });

for (const sampler of [euler(), ddim(), heun()]) {
  let points: ArrayLike<number> = x;
  let calls = 0;
  for await (const step of trajectory({ sampler, denoise, x, levels, algebra })) {
    points = step.x;
    calls = step.nfe;
  }
  const shares = MODES.map((mode) => Array.from(points).filter((v) => Math.abs(v - mode) < 0.4).length / COUNT);
  console.log(sampler.name, `NFE=${calls}`, `shares of the modes: ${shares.map((s) => s.toFixed(2)).join(' ')}`, '(data: 0.30 0.50 0.20)');
}

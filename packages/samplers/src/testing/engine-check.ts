import { defineDenoiser, type Algebra, type Denoiser, isLevelList, type NoiseLevel, type Sampler } from '@langevin/core';
import { arrayAlgebra, edm, karras, tensorAlgebra } from '@langevin/core-schedules';
import { cacheCounters, tensor, type Engine, type Tensor } from '@langevin/tensor';
import { imageNoise, startState } from '../noise.ts';
import { sample } from '../trajectory.ts';
import { demand } from './demand.ts';
import { withParts } from './with-parts.ts';

/** Enough numbers for the norms of an image that adaptive methods look at. */
const SHAPE = [2, 24] as const;
const SIZE = SHAPE[0] * SHAPE[1];

/** Data N(0.2, 0.5^2) on every element, over any algebra: `ones` is a state of ones. */
function normalDenoiser<T>(algebra: Algebra<T>, ones: T): Denoiser<T> {
  const gainOf = ({ alpha, sigma }: NoiseLevel): number => (alpha * 0.25) / (alpha ** 2 * 0.25 + sigma ** 2);
  const restOf = (level: NoiseLevel): number => 0.2 * (1 - gainOf(level) * level.alpha);
  const denoise = defineDenoiser<T>({
    nfe: 1,
    denoise: (x, at) => {
      if (!isLevelList(at)) return Promise.resolve(algebra.linear([gainOf(at), x], [restOf(at), onesLike(x)]));
      return Promise.resolve(algebra.linear([at.map(gainOf), x], [at.map(restOf), onesLike(x)]));
    },
  });
  /** For a batch of several states put together, as many ones. */
  const onesLike = (x: T): T => {
    const states = algebra.size(x) / algebra.size(ones);
    return states === 1 ? ones : algebra.concat(Array.from({ length: states }, () => ones));
  };
  return withParts(denoise, algebra);
}

async function runOver<T>(
  sampler: Sampler,
  algebra: Algebra<T>,
  { ones, steps }: { readonly ones: T; readonly steps: number },
): Promise<Float32Array | Float64Array> {
  const levels = karras().levels(edm({ sigmaMax: 20 }), { steps });
  const noise = imageNoise({ seed: 11 });
  const x = await startState<T>({ algebra, noise, at: levels[0]!, like: ones });
  return algebra.toHost(await sample<T>({ sampler, denoise: normalDenoiser(algebra, ones), x, levels, noise, algebra }));
}

/** Tensors give what arrays give, to the precision of float32, and the number of compilations does not grow with the steps. */
export async function engineCheck(sampler: Sampler, engine: Engine, limit: number): Promise<void> {
  const onTensors = (steps: number): Promise<Float32Array | Float64Array> => {
    const ones: Tensor = tensor(new Float32Array(SIZE).fill(1), { shape: SHAPE });
    return runOver(sampler, tensorAlgebra({ engine }), { ones, steps });
  };
  const onArrays = await runOver(sampler, arrayAlgebra({ items: SHAPE[0] }), { ones: new Float64Array(SIZE).fill(1), steps: 12 });
  const result = await onTensors(12);
  const gap = Math.max(...onArrays.map((value, i) => Math.abs(value - result[i]!)));
  demand(gap < limit, `tensors and arrays end ${gap} apart, allowed ${limit}`);
  const before = cacheCounters(engine).compilations;
  await onTensors(25);
  const after = cacheCounters(engine).compilations;
  demand(after === before, `${after - before} more compilations for 25 steps than for 12`);
}

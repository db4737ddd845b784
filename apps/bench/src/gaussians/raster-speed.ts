import { cpuRasterizer, type Rasterizer, type RenderGradients, type Rendering } from '@langevin/gaussians';
import { interleave } from '../measure.ts';
import { twoCores } from '../two-cores.ts';
import type { BenchScene } from './scenes.ts';

/** Milliseconds of a picture and its backward pass. */
export interface RasterRow {
  readonly threads: number;
  readonly degree: 0 | 3;
  readonly forwardMs: number;
  readonly backwardMs: number;
  /** The median of the sums, which is not the sum of the medians. */
  readonly bothMs: number;
  /** The least of the sums. */
  readonly leastMs: number;
}

export interface RasterSpeed {
  readonly rows: readonly RasterRow[];
  /** How many times as much two threads do as one where they only count in registers, measured in the same rounds. */
  readonly machine: { readonly median: number; readonly best: number };
}

/** Views of the scene that rounds go through. */
const VIEWS = 4;

/** Draws the Gaussians that training begins with and leads a gradient of colours back, on one thread and on two in turn. */
export async function rasterSpeed({ scene, initial }: BenchScene, rounds: number): Promise<RasterSpeed> {
  const rasterizers = [1, 2].map((threads) => ({ threads, rasterizer: cpuRasterizer({ threads }), results: {} as Results }));
  const cores = await twoCores();
  const rows: RasterRow[] = [];
  for (const degree of [0, 3] as const) {
    const times = rasterizers.map(() => ({ forward: [] as number[], backward: [] as number[] }));
    const contestants = rasterizers.map(({ threads, rasterizer, results }, i) => {
      let round = 0;
      return {
        name: `${threads}`,
        run: async () => {
          const { forward, backward } = await pass({ rasterizer, results }, { scene, initial }, { degree, view: round++ % VIEWS });
          times[i]!.forward.push(forward);
          times[i]!.backward.push(backward);
          return forward + backward;
        },
      };
    });
    const counting = {
      name: 'counting',
      run: () => {
        cores.measure();
        return Promise.resolve(0);
      },
    };
    const both = await interleave([...contestants, counting], { rounds, warmup: VIEWS });
    rows.push(
      ...rasterizers.map(({ threads }, i) => ({
        threads,
        degree,
        forwardMs: median(times[i]!.forward.slice(VIEWS)),
        backwardMs: median(times[i]!.backward.slice(VIEWS)),
        bothMs: both[i]!.medianMs,
        leastMs: both[i]!.minMs,
      })),
    );
  }
  for (const { rasterizer } of rasterizers) await rasterizer.dispose();
  await cores.dispose();
  return { rows, machine: cores.result() };
}

/** What the last pass made, for the next to write over, as loops do. */
interface Results {
  rendering?: Rendering;
  gradients?: RenderGradients;
}

async function pass(
  { rasterizer, results }: { readonly rasterizer: Rasterizer; readonly results: Results },
  { scene, initial }: BenchScene,
  { degree, view }: { readonly degree: 0 | 3; readonly view: number },
): Promise<{ readonly forward: number; readonly backward: number }> {
  const { camera } = scene.train[view * Math.floor(scene.train.length / VIEWS)]!;
  const start = performance.now();
  const drawn = await rasterizer.render(initial, camera, { degree, reuse: results.rendering });
  results.rendering = drawn;
  const forward = performance.now() - start;
  const color = cotangents(drawn.color.length);
  const middle = performance.now();
  results.gradients = await rasterizer.backward(drawn, { color }, { reuse: results.gradients });
  return { forward, backward: performance.now() - middle };
}

let kept = new Float32Array(0);

/**
 * Numbers of the size that a mean over the picture has, without pattern. Made once: what making them leaves behind would be collected on
 * the threads that are measured.
 */
function cotangents(length: number): Float32Array {
  if (kept.length !== length) kept = new Float32Array(length).map((_, i) => Math.sin(1.7 * i) / length);
  return kept;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

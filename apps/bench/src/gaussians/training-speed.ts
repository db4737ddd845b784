import { cpuRasterizer, createTrainer, initialState, resolveSettings, type Trainer } from '@langevin/gaussians';
import { interleave } from '../measure.ts';
import { median } from './raster-speed.ts';
import type { BenchScene } from './scenes.ts';

/** A whole step: picture, loss, way back, optimiser. */
export interface StepRow {
  readonly scene: string;
  readonly side: number;
  readonly count: number;
  readonly oneThreadMs: number;
  readonly twoThreadsMs: number;
  /** Parts of the step on two threads, medians. */
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
}

/** Steps before the first that counts: each view is seen once, and its picture prepared. */
const WARMUP = 24;

/** Steps of two trainings of the same scene, on one thread and on two, in turn; their results are the same. */
export async function stepSpeed(given: BenchScene, rounds: number): Promise<StepRow> {
  const { scene, initial } = given;
  const [parts, sums] = [new Map<string, number>(), new Map<string, number[]>()];
  const rasterizers = [cpuRasterizer({ threads: 1 }), cpuRasterizer({ threads: 2, trace: (phase, ms) => parts.set(phase, (parts.get(phase) ?? 0) + ms) })];
  const trainers = rasterizers.map((rasterizer) => trainerOf(given, rasterizer));
  const [one, two] = await interleave(
    trainers.map((trainer, i) => ({
      name: `${i + 1}`,
      run: async () => {
        parts.clear();
        const start = performance.now();
        await trainer.advance();
        const all = performance.now() - start;
        if (i === 1) {
          parts.set('optimiser, and what is left', all - [...parts.values()].reduce((sum, ms) => sum + ms, 0));
          for (const [name, ms] of parts) sums.set(name, [...(sums.get(name) ?? []), ms]);
        }
        return all;
      },
    })),
    { rounds, warmup: WARMUP },
  );
  for (const rasterizer of rasterizers) await rasterizer.dispose();
  const phases = [...sums].map(([name, values]) => ({ name, ms: median(values.slice(WARMUP)) }));
  return { scene: scene.name, side: scene.train[0]!.camera.width, count: initial.count, oneThreadMs: one!.medianMs, twoThreadsMs: two!.medianMs, phases };
}

/** What a training came to. */
export interface QualityRow {
  readonly steps: number;
  /** Seconds of training until the held-out view was as good as asked, without evaluations; undefined when it never was. */
  readonly seconds: number | undefined;
  readonly stepsTo: number | undefined;
  readonly psnr: number;
  readonly ssim: number;
  readonly count: number;
  readonly allSeconds: number;
}

/** Trains with the defaults on two threads, looking at the held-out view now and then with the clock stopped. */
export async function trainingQuality(given: BenchScene, { steps, every, psnr: enough }: { readonly steps: number; readonly every: number; readonly psnr: number }): Promise<QualityRow> {
  const rasterizer = cpuRasterizer({ threads: 2 });
  const trainer = trainerOf(given, rasterizer, steps);
  const view = given.scene.test[0]!;
  let [milliseconds, reached] = [0, undefined as { seconds: number; stepsTo: number } | undefined];
  let score = { psnr: 0, ssim: 0 };
  for (let step = 1; step <= steps; step++) {
    const start = performance.now();
    await trainer.advance();
    milliseconds += performance.now() - start;
    if (step % every !== 0) continue;
    ({ score } = await trainer.evaluate(view));
    if (score.psnr >= enough) reached ??= { seconds: milliseconds / 1000, stepsTo: step };
  }
  await rasterizer.dispose();
  return { steps, seconds: reached?.seconds, stepsTo: reached?.stepsTo, psnr: score.psnr, ssim: score.ssim, count: trainer.state().gaussians.count, allSeconds: milliseconds / 1000 };
}

function trainerOf({ scene, initial }: BenchScene, rasterizer: Parameters<typeof createTrainer>[0]['rasterizer'], steps = 1000): Trainer {
  const settings = resolveSettings({}, steps);
  return createTrainer({ scene, rasterizer, settings, state: initialState(initial, settings.strategy) });
}

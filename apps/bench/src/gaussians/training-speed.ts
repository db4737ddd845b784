import {
  cpuRasterizer,
  createTrainer,
  defaultStrategy,
  initialState,
  resolveSettings,
  type Rasterizer,
  type Trainer,
} from '@langevin/gaussians';
import { interleave } from '../measure.ts';
import { median } from './raster-speed.ts';
import type { BenchScene } from './scenes.ts';

/** A whole step: picture, loss, backward pass, optimiser. */
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
  const trace: Trace = (phase, ms) => parts.set(phase, (parts.get(phase) ?? 0) + ms);
  const rasterizers = [cpuRasterizer({ threads: 1 }), cpuRasterizer({ threads: 2, trace })];
  const trainers = rasterizers.map((rasterizer, i) => trainerOf(given, { rasterizer, ...(i === 1 && { trace }) }));
  const [one, two] = await interleave(
    trainers.map((trainer, i) => ({
      name: `${i + 1}`,
      run: async () => {
        parts.clear();
        const start = performance.now();
        await trainer.advance();
        const all = performance.now() - start;
        if (i === 1) {
          parts.set('what is left', all - [...parts.values()].reduce((sum, ms) => sum + ms, 0));
          for (const [name, ms] of parts) sums.set(name, [...(sums.get(name) ?? []), ms]);
        }
        return all;
      },
    })),
    { rounds, warmup: WARMUP },
  );
  for (const trainer of trainers) trainer.release();
  for (const rasterizer of rasterizers) await rasterizer.dispose();
  const phases = [...sums].map(([name, values]) => ({ name, ms: median(values.slice(WARMUP)) }));
  return {
    scene: scene.name,
    side: scene.train[0]!.camera.width,
    count: initial.count,
    oneThreadMs: one!.medianMs,
    twoThreadsMs: two!.medianMs,
    phases,
  };
}

/** What a training came to. */
export interface QualityRow {
  /** Until which step Gaussians are doubled, split and removed. */
  readonly changesUntil: number;
  readonly steps: number;
  /** Seconds of training until the held-out view was as good as asked, without evaluations; undefined when it never was. */
  readonly seconds: number | undefined;
  readonly stepsTo: number | undefined;
  readonly psnr: number;
  readonly ssim: number;
  readonly count: number;
  readonly allSeconds: number;
}

/**
 * Trains on two threads with settings that are the default but for when the number of Gaussians may change, looking at the held-out view
 * now and then with the clock stopped.
 */
export async function trainingQuality(
  given: BenchScene,
  {
    steps,
    every,
    psnr: enough,
    changesUntil,
  }: { readonly steps: number; readonly every: number; readonly psnr: number; readonly changesUntil: number },
): Promise<QualityRow> {
  const rasterizer = cpuRasterizer({ threads: 2 });
  const trainer = trainerOf(given, { rasterizer, steps, changesUntil });
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
  const { count } = trainer.state().gaussians;
  trainer.release();
  await rasterizer.dispose();
  return {
    changesUntil,
    steps,
    seconds: reached?.seconds,
    stepsTo: reached?.stepsTo,
    psnr: score.psnr,
    ssim: score.ssim,
    count,
    allSeconds: milliseconds / 1000,
  };
}

type Trace = NonNullable<Parameters<typeof createTrainer>[0]['trace']>;

/** A training with the settings that are the default. */
function trainerOf(
  { scene, initial }: BenchScene,
  {
    rasterizer,
    steps = 1000,
    changesUntil = 15_000,
    trace,
  }: { readonly rasterizer: Rasterizer; readonly steps?: number; readonly changesUntil?: number; readonly trace?: Trace },
): Trainer {
  const settings = resolveSettings({ strategy: defaultStrategy({ stop: changesUntil }) }, steps);
  return createTrainer({ scene, rasterizer, settings, state: initialState(initial, settings.strategy), ...(trace && { trace }) });
}

import { cpuRasterizer, defaultStrategy, trainSplats, type TrainSplatsOptions } from '@langevin/gaussians';
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
/** Of the run that they are the first steps of. */
const STEPS = 1000;

/** Steps of two trainings of the same scene, on one thread and on two, in turn; their results are the same. */
export async function stepSpeed(given: BenchScene, rounds: number): Promise<StepRow> {
  const { scene, initial } = given;
  const [parts, sums] = [new Map<string, number>(), new Map<string, number[]>()];
  const trace = (phase: string, ms: number) => parts.set(phase, (parts.get(phase) ?? 0) + ms);
  const rasterizers = [cpuRasterizer({ threads: 1 }), cpuRasterizer({ threads: 2, trace })];
  const trainings = rasterizers.map((rasterizer, i) => trainingOf(given, { rasterizer, steps: STEPS, ...(i === 1 && { trace }) }));
  // What comes before the first step.
  for (const training of trainings) await training.next();
  const [one, two] = await interleave(
    trainings.map((training, i) => ({
      name: `${i + 1}`,
      run: async () => {
        parts.clear();
        const start = performance.now();
        await training.next();
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
  for (const training of trainings) await training.return();
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
  const scene = { ...given.scene, test: given.scene.test.slice(0, 1) };
  let [milliseconds, reached] = [0, undefined as { seconds: number; stepsTo: number } | undefined];
  let score = { psnr: 0, ssim: 0 };
  let count = 0;
  for await (const event of trainingOf({ ...given, scene }, { rasterizer, steps, changesUntil, evaluateEvery: every })) {
    if (event.kind === 'step') milliseconds += event.milliseconds;
    if (event.kind === 'done') ({ count } = event.state.gaussians);
    if (event.kind !== 'numbers') continue;
    score = { psnr: event.values['heldOutPsnr']!, ssim: event.values['heldOutSsim']! };
    if (score.psnr >= enough) reached ??= { seconds: milliseconds / 1000, stepsTo: event.step };
  }
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

/** A training with the settings that are the default, but for when the number of Gaussians may change. */
function trainingOf(
  { scene, initial }: BenchScene,
  { changesUntil = 15_000, ...options }: Omit<TrainSplatsOptions, 'scene' | 'initial' | 'strategy'> & { readonly changesUntil?: number },
): ReturnType<typeof trainSplats> {
  return trainSplats({ scene, initial, strategy: defaultStrategy({ stop: changesUntil }), ...options });
}

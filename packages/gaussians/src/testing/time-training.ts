import { cpuRasterizer } from '../cpu/cpu-rasterizer.ts';
import type { ShDegree } from '../gaussians.ts';
import { gaussiansFromPoints } from '../scenes/initialise.ts';
import type { SplatScene } from '../scenes/scene.ts';
import { defaultStrategy } from '../strategies/default.ts';
import type { Trace } from '../trace.ts';
import type { TrainingSettings } from '../training/settings.ts';
import { trainSplats } from '../training/train-splats.ts';

export interface TimeTrainingOptions {
  /** With points. */
  readonly scene: SplatScene;
  readonly threads: number;
  /** Steps that are timed; they stay below those where the number of Gaussians changes. @default 30 */
  readonly steps?: number;
  /** Steps before, while the engine compiles. @default 10 */
  readonly warmup?: number;
  /** Degree of the spherical harmonics that is drawn; training begins with 0. @default 0 */
  readonly degree?: ShDegree;
  readonly settings?: Omit<TrainingSettings, 'degreeEvery' | 'degree'>;
}

/** Milliseconds: the middle one and the least. */
export interface Timing {
  readonly median: number;
  readonly least: number;
}

export interface TrainingTimes {
  readonly gaussians: number;
  readonly step: Timing;
  /** Drawing and its backward pass: every phase of a step but loss, optimiser and strategy. */
  readonly raster: Timing;
  /** The parts of a step, in their order. */
  readonly phases: Readonly<Record<string, Timing>>;
}

/** Steps of a run that is ended before: long enough that nothing else happens in those that are timed. */
const LONG = 100_000;

/** What a step does apart from drawing and leading back. */
const BESIDE = ['loss', 'adam', 'strategy'];

/** Trains a scene from its points on the CPU, step by step, and tells how long the parts of a step took. */
export async function timeTraining({
  scene,
  threads,
  steps = 30,
  warmup = 10,
  degree = 0,
  settings = {},
}: TimeTrainingOptions): Promise<TrainingTimes> {
  const parts: Record<string, number>[] = [];
  const trace: Trace = (phase, milliseconds) => {
    const now = parts.at(-1)!;
    now[phase] = (now[phase] ?? 0) + milliseconds;
  };
  const rasterizer = cpuRasterizer({ threads, trace });
  const { opacity, scale } = (settings.strategy ?? defaultStrategy()).defaults;
  const initial = gaussiansFromPoints(scene.points!, { degree: 3, opacity, scale });
  // The degree in use rises with the steps: it is there when the warm-up is over.
  const before = Math.max(warmup, degree);
  const whole: number[] = [];
  const events = trainSplats({
    ...settings,
    scene: { ...scene, test: [] },
    rasterizer,
    initial,
    trace,
    degree: degree === 0 ? 3 : degree,
    degreeEvery: degree === 0 ? LONG : 1,
    steps: LONG,
  });
  try {
    parts.push({});
    for await (const event of events) {
      if (event.kind !== 'step') continue;
      whole.push(event.milliseconds);
      if (whole.length === before + steps) break;
      parts.push({});
    }
  } finally {
    await rasterizer.dispose();
  }
  const timed = parts.slice(before);
  const raster = timed.map((part) => Object.entries(part).reduce((sum, [phase, value]) => (BESIDE.includes(phase) ? sum : sum + value), 0));
  const phases = Object.fromEntries(Object.keys(timed[0]!).map((phase) => [phase, timing(timed.map((part) => part[phase] ?? 0))]));
  return { gaussians: initial.count, step: timing(whole.slice(before)), raster: timing(raster), phases };
}

function timing(values: readonly number[]): Timing {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, least: sorted[0]! };
}

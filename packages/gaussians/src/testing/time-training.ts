import { cpuRasterizer } from '../cpu/cpu-rasterizer.ts';
import type { ShDegree } from '../gaussians.ts';
import { gaussiansFromPoints } from '../scenes/initialise.ts';
import type { SplatScene } from '../scenes/scene.ts';
import type { Trace } from '../trace.ts';
import { resolveSettings, type TrainingSettings } from '../training/config.ts';
import { initialState } from '../training/state.ts';
import { createTrainer } from '../training/trainer.ts';

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
  const resolved = resolveSettings({ ...settings, degreeEvery: degree === 0 ? 1000 : 1 }, 1000);
  const gaussians = gaussiansFromPoints(scene.points!, {
    degree: 3,
    opacity: resolved.strategy.defaults.opacity,
    scale: resolved.strategy.defaults.scale,
  });
  const rasterizer = cpuRasterizer({ threads, trace });
  // Steps before the first view comes again draw lower degrees.
  const state = { ...initialState(gaussians, resolved.strategy), step: degree };
  const trainer = createTrainer({ scene, rasterizer, settings: { ...resolved, degree }, state, trace });
  const whole: number[] = [];
  try {
    for (let step = 0; step < warmup + steps; step++) {
      parts.push({});
      const before = performance.now();
      await trainer.advance();
      whole.push(performance.now() - before);
    }
  } finally {
    trainer.release();
    await rasterizer.dispose();
  }
  const timed = parts.slice(warmup);
  const raster = timed.map((part) => Object.entries(part).reduce((sum, [phase, value]) => (BESIDE.includes(phase) ? sum : sum + value), 0));
  const phases = Object.fromEntries(Object.keys(timed[0]!).map((phase) => [phase, timing(timed.map((part) => part[phase] ?? 0))]));
  return { gaussians: gaussians.count, step: timing(whole.slice(warmup)), raster: timing(raster), phases };
}

function timing(values: readonly number[]): Timing {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1]!, least: sorted[0]! };
}

import { adam, type AdamState } from '@langevin/nn';
import { abs, add, gradients, item, mapTensors, mean, realize, scalar, square, sub, tensor, tensorsOf, UserError, type Generator } from '@langevin/tensor';
import type { Camera } from '../camera.ts';
import type { Gaussians } from '../gaussians.ts';
import { gaussianTensors, rasterizeTensors, type AnyRasterizer } from '../op.ts';
import { checkTime, deform, type Deformation } from './deformation.ts';

/** A photograph of the scene at a time. */
export interface PosedFrame {
  readonly camera: Camera;
  /** In [0, 1]. */
  readonly time: number;
  /** [height, width, 3], in [0, 1]. */
  readonly image: Float32Array;
}

export interface DynamicTrainingOptions<Params> {
  /** The asset at rest, which does not change. */
  readonly gaussians: Gaussians;
  readonly deformation: Deformation<Params>;
  readonly rasterizer: AnyRasterizer;
  readonly frames: readonly PosedFrame[];
  /** Draws the weights and the order of the frames. */
  readonly generator: Generator;
  /** One frame each. */
  readonly steps: number;
  /** Weights to go on from. @default those with which nothing moves */
  readonly params?: Params;
  /** Multiplies the rates of the deformation. @default 1 */
  readonly rate?: number;
  /** Rates fall exponentially to this part of the first ones. @default 0.1 */
  readonly finalRate?: number;
  /** @default 'l1', that of 4D Gaussian splatting */
  readonly loss?: 'l1' | 'l2';
  /** @default black */
  readonly background?: readonly number[];
  readonly onStep?: (progress: { readonly step: number; readonly loss: number; readonly frame: number }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains a deformation on posed frames of a moving scene: each step draws one frame at its time and moves the weights by Adam, with a rate for each
 * part of them. Frames are taken in a new random order each round.
 *
 * @throws UserError for frames that do not fit their cameras
 */
export async function trainDynamic<Params>(options: DynamicTrainingOptions<Params>): Promise<{ readonly params: Params; readonly losses: readonly number[] }> {
  const { gaussians, deformation, rasterizer, frames, generator, steps, rate = 1, finalRate = 0.1, loss = 'l1', background, onStep, signal } = options;
  frames.forEach(checkFrame);
  if (frames.length === 0 || !Number.isInteger(steps) || steps < 0) throw new UserError(`[gaussians/dynamic] nothing to train on: frames=${frames.length}, steps=${steps}. Pass a frame at least, and an integer >= 0.`);
  const still = gaussianTensors(gaussians);
  const targets = frames.map(({ image, camera: { width, height } }) => tensor(image.slice(), { shape: [height, width, 3] }));
  const rule = adam();
  let params = options.params ?? deformation.init(generator);
  let states: Record<string, AdamState> | undefined;
  let order: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    if (order.length === 0) order = shuffled(frames.length, generator);
    const frame = order.pop()!;
    const { camera, time } = frames[frame]!;
    const { color } = rasterizeTensors(rasterizer, deform(deformation, params, still, scalar(time)), camera, background ? { background } : {});
    const error = sub(color, targets[frame]!);
    const value = loss === 'l1' ? mean(abs(error)) : mean(square(error));
    const total = deformation.penalty ? add(value, deformation.penalty(params)) : value;
    const pulled = gradients([total], tensorsOf(params));
    let next = 0;
    const grads = mapTensors(params, () => pulled[next++]!);
    const decay = rate * finalRate ** (steps > 1 ? step / (steps - 1) : 0);
    const parts = Object.entries(params as Record<string, unknown>).map(([name, part]) => {
      const state = states?.[name] ?? rule.init(part);
      return [name, rule.update((grads as Record<string, unknown>)[name], state, part, { learningRate: scalar(decay * (deformation.rates[name] ?? 1e-3)) })] as const;
    });
    params = Object.fromEntries(parts.map(([name, { params: part }]) => [name, part])) as Params;
    states = Object.fromEntries(parts.map(([name, { state }]) => [name, state]));
    await realize([value, ...tensorsOf(params), ...tensorsOf(states)], signal ? { signal } : {});
    losses.push(await item(value));
    onStep?.({ step, loss: losses[step]!, frame });
  }
  return { params, losses };
}

function checkFrame({ camera: { width, height }, time, image }: PosedFrame, index: number): void {
  checkTime(time);
  if (image.length !== 3 * width * height) throw new UserError(`[gaussians/dynamic] picture does not fit its camera: frame ${index} has ${image.length} numbers, expected ${3 * width * height} for ${width}x${height}. Pass [height, width, 3].`);
}

function shuffled(count: number, generator: Generator): number[] {
  const keys = generator.uniform(count);
  return Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]!);
}

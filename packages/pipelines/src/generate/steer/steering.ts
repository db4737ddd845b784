import { hintName, hintScaleName } from '@langevin/backbones';
import type { Conditions } from '@langevin/core';
import { toPlanar, type Image } from '@langevin/io';
import { inFloat32 } from '@langevin/nn';
import { add, compile, mul, scalar, tensor, type Engine, type Tensor } from '@langevin/tensor';
import type { OpenControl } from './open-controls.ts';

/** What one control is told, checked. */
export interface ControlCall {
  /** One for each picture. */
  readonly pictures: readonly Image[];
  readonly scale: number;
  /** The share of the steps between which it steers. */
  readonly from: number;
  readonly until: number;
}

/** What the network is told at each step of a run of `steps` timesteps. */
export type StepConditions = (step: number, steps: number) => Conditions;

/**
 * The conditions that steer a network: pictures for what is run at each step, and what is made of the pictures alone. A control that does
 * not steer at a step is left out there.
 */
export async function steering(
  controls: readonly OpenControl[],
  calls: readonly ControlCall[],
  onEngine: { readonly engine?: Engine },
): Promise<StepConditions> {
  const hints = calls.map(({ pictures }) => hintOf(pictures));
  const scales = calls.map(({ scale, pictures }) =>
    tensor(
      Float32Array.from(pictures, () => scale),
      { shape: [pictures.length] },
    ),
  );
  const once = await Promise.all(
    controls.map(({ info, module, params }, i) => {
      if (info.reads === 'step') return undefined;
      const run = compile((weights: unknown, hint: Tensor, scale: Tensor) => module.apply(inFloat32(weights), { hint, scale }), {
        name: 'control',
        ...onEngine,
      });
      return run(params as never, hints[i]! as never, scales[i]! as never).finally(() => run.dispose());
    }),
  );
  return (step, steps) => {
    const all: Record<string, Tensor> = {};
    let place = 0;
    controls.forEach(({ info }, i) => {
      const { from, until } = calls[i]!;
      const steers = step / steps >= from && (step + 1) / steps <= until;
      if (info.reads === 'step') {
        const at = place++;
        if (!steers) return;
        all[hintName(at)] = hints[i]!;
        all[hintScaleName(at)] = scales[i]!;
        return;
      }
      // What a network was told to add it is told at each step, or its graph would be another one: nothing is added where it is 0.
      for (const [name, value] of Object.entries(once[i]!)) {
        const own = steers ? value : mul(value, scalar(0));
        all[name] = all[name] === undefined ? own : add(all[name], own);
      }
    });
    return all;
  };
}

/** [N, C, H, W] in [0, 1] */
function hintOf(pictures: readonly Image[]): Tensor {
  const { width, height, channels } = pictures[0]!;
  const size = width * height * channels;
  const values = new Float32Array(pictures.length * size);
  for (const [i, picture] of pictures.entries()) toPlanar(picture).forEach((byte, at) => (values[i * size + at] = byte / 255));
  return tensor(values, { shape: [pictures.length, channels, height, width] });
}

import type { Algebra, NoiseInterval, NoiseRequest, NoiseSource } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { torchNoise } from '../noise.ts';
import type { StepOptions } from './call-options.ts';

/** The draws of one call of step. */
export interface StepNoise<T> {
  /** Unit noise in the form of `like`. @throws UserError where neither the caller nor the class has any */
  readonly draw: (like: T, interval: NoiseInterval) => Promise<T>;
  /** A draw whose result nobody uses: a generator goes on as PyTorch's does, and anything else is not asked. */
  readonly drop: (like: T, times: number) => Promise<void>;
}

/** The noise of a call: what the caller passes, or the class's own path. */
export function stepNoise<T>({
  algebra,
  options,
  own,
  name,
  step,
}: {
  readonly algebra: Algebra<T>;
  readonly options: StepOptions<T>;
  readonly own: NoiseSource | undefined;
  readonly name: string;
  readonly step: number;
}): StepNoise<T> {
  let drawn = 0;
  return {
    draw: (like, interval) => sourceOf(options, own, name).draw({ algebra, like, step, draw: drawn++, interval }),
    drop: async (like, times) => {
      if (options.generator === undefined) return;
      const source = torchNoise(options.generator);
      for (let i = 0; i < times; i++) await source.draw({ algebra, like, step, draw: drawn++ });
    },
  };
}

function sourceOf<T>({ generator, noise }: StepOptions<T>, own: NoiseSource | undefined, name: string): NoiseSource {
  if (generator !== undefined) return torchNoise(generator);
  if (noise !== undefined) return given(noise, name);
  if (own !== undefined) return own;
  throw new UserError(
    `[samplers/compat] ${name}: the step draws noise and has none: generator=undefined, noise=undefined. Pass { generator: `
      + 'torchGenerator(seed) } or { noise }.',
  );
}

function given<S>(noise: S | readonly S[], name: string): NoiseSource {
  return {
    name: 'given',
    draw: <T>({ algebra, like, draw }: NoiseRequest<T>) => {
      const value = (Array.isArray(noise) ? (noise as readonly S[])[draw] : draw === 0 ? noise : undefined) as T | undefined;
      if (value === undefined)
        throw new UserError(
          `[samplers/compat] ${name}: the step draws more noise than was passed: draw ${draw + 1}. Pass a list with one state for `
            + 'each draw.',
        );
      const complaint = value === null ? 'it is null' : algebra.complaint(value, like);
      if (complaint !== undefined)
        throw new UserError(
          `[samplers/compat] ${name}: the noise is not a state like the sample: ${complaint}. Pass unit noise of its shape.`,
        );
      return Promise.resolve(value);
    },
  };
}

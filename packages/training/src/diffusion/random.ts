import { counterGenerator, deferred, sizeOf, type Generator } from '@langevin/tensor';
import type { TrainMode } from '@langevin/nn';

/** What a step draws random numbers for; each purpose has a stream of its own. */
const PURPOSES = { levels: 0, noise: 1, layers: 2 } as const;

export interface StepDraw {
  readonly seed: number;
  readonly step: number;
  readonly purpose: keyof typeof PURPOSES;
  /** Number of the draw, where a purpose has several in a step. @default 0 */
  readonly draw?: number;
}

/** Random numbers of one step: a function of (seed, step), so that a resumed run draws what an uninterrupted one would. */
export function stepGenerator({ seed, step, purpose, draw = 0 }: StepDraw): Generator {
  return counterGenerator({ seed, stream: [step, PURPOSES[purpose], draw] });
}

/** The mode of layers that are random in training; `step` says which step is running. */
export function steppedMode(seed: number, step: () => number): TrainMode {
  let draws = 0;
  return {
    kind: 'train',
    uniform: (shape) => {
      const draw = draws++;
      return deferred({ shape, dtype: 'float32' }, () =>
        stepGenerator({ seed, step: step(), purpose: 'layers', draw }).uniform(sizeOf(shape)),
      );
    },
  };
}

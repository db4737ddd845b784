import { counterGenerator, deferred, sizeOf, type Generator } from '@langevin/tensor';
import type { TrainMode } from '@langevin/nn';

/** Random numbers of one step for one purpose: a function of its arguments. */
export function stepGenerator(at: {
  readonly seed: number;
  readonly step: number;
  readonly purpose: string;
  readonly part: number;
  readonly draw?: number;
}): Generator {
  const { seed, step, purpose, part, draw = 0 } = at;
  return counterGenerator({ seed, stream: [step, part, draw, hashOf(purpose)] });
}

/** 32 bits of a text (FNV-1a, over UTF-16 units): enough to keep the purposes of one step apart. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Which part of which step is running; a compiled function looks here when it runs, not when it is traced. */
export interface Running {
  readonly seed: number;
  readonly step: number;
  /** Number of the part of the batch, where gradients are accumulated. */
  readonly part: number;
}

/**
 * The mode of layers that are random in training. Call it inside of the function that is compiled: draws are counted from zero in each
 * trace, so that their numbers depend on the step alone and not on how often, or for which shapes, it was traced before.
 */
export function layerMode(running: () => Running): TrainMode {
  let draws = 0;
  return Object.freeze({
    kind: 'train',
    uniform: (shape: readonly number[]) => {
      const draw = draws;
      draws += 1;
      return deferred({ shape, dtype: 'float32' }, () => stepGenerator({ ...running(), purpose: 'layers', draw }).uniform(sizeOf(shape)));
    },
  });
}

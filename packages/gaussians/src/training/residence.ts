import { byName, PARAMETERS } from '../gaussians.ts';
import { adamStep, type AdamStep } from '../optimizer/adam.ts';
import type { ParameterMemory, Rasterizer } from '../rasterizer.ts';
import type { SplatState } from './state.ts';

/** Where a training keeps its arrays while it runs: in the memory of the rasterizer's kernels, if that is free and has room. */
export interface Residence {
  /** The state with parameters and moments there. They are copied when they are others than those of the last call. */
  readonly settle: (state: SplatState) => Promise<SplatState>;
  /** Adam, by the kernels where the arrays are in their memory. */
  readonly adam: (steps: readonly AdamStep[]) => Promise<void>;
  /** Lets another training have the memory; arrays in it are valid until then. */
  readonly leave: () => void;
}

export function residence(rasterizer: Rasterizer): Residence {
  let memory: ParameterMemory | 'unasked' | undefined = 'unasked';
  let settled: Pick<SplatState, 'gaussians' | 'moments'> | undefined;
  const leave = (): void => {
    if (memory !== 'unasked') memory?.release();
    memory = undefined;
    settled = undefined;
  };
  return {
    settle: async (state) => {
      if (memory === 'unasked') memory = rasterizer.claimMemory?.();
      const { gaussians, moments } = state;
      if (memory === undefined || (gaussians === settled?.gaussians && moments === settled.moments)) return state;
      const loaded = await memory.load(PARAMETERS.flatMap((name) => [gaussians[name], moments[name].mean, moments[name].square]));
      if (loaded === undefined) {
        leave();
        return state;
      }
      settled = {
        gaussians: { ...gaussians, ...byName((_, i) => loaded[3 * i]!) },
        moments: byName((_, i) => ({ mean: loaded[3 * i + 1]!, square: loaded[3 * i + 2]! })),
      };
      return { ...state, ...settled };
    },
    adam: async (steps) => {
      if (memory !== undefined && memory !== 'unasked') await memory.adam(steps);
      else for (const each of steps) adamStep(each);
    },
    leave: () => {
      leave();
      memory = 'unasked';
    },
  };
}

import { UnsupportedError } from '@langevin/tensor';
import type { Option } from '../config.ts';

/** UniPC's solver_p, another scheduler as predictor, which no published config has. */
export function refusedPredictor(name: string): Option<null> {
  return {
    fallback: null,
    parse: (value) => {
      if (value === null) return { value };
      throw new UnsupportedError(`[samplers/compat] ${name}: another scheduler cannot be the predictor: solver_p=${JSON.stringify(value)}. Leave it out.`);
    },
  };
}

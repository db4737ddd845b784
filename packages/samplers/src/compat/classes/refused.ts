import { UnsupportedError } from '@langevin/tensor';
import { showEntry, type Field } from '@langevin/tensor/fields';

/** solver_p of a class that takes another scheduler and never sets its timesteps, so that its first step raises. */
export function refusedPredictor(name: string): Field<null> {
  return {
    fallback: null,
    parse: (value) => {
      if (value === null) return { value };
      throw new UnsupportedError(
        `[samplers/compat] ${name}: another scheduler cannot be the predictor, as Python never tells it its timesteps: `
          + `solver_p=${showEntry(value)}. Leave it out.`,
      );
    },
  };
}

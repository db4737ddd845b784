import { tensorAlgebra } from '@langevin/core-schedules';
import { fromDiffusersConfig, type DiffusersScheduler } from '@langevin/samplers/compat';
import { didYouMean, UnsupportedError, UserError, type Tensor } from '@langevin/tensor';
import type { CheckedGenerate } from './options.ts';

const WHERE = 'pipelines/generate';

/** Classes whose steps are not those of one denoising loop, and what they are part of. */
const OTHER_LOOPS: Readonly<Record<string, string>> = {
  DDPMWuerstchenScheduler: "Wuerstchen's, which never calls the network at its last timestep",
  KarrasVeScheduler: 'one that adds noise to the state before each step',
  RePaintScheduler: 'one that goes back and forth in time around a known picture',
};

/**
 * The scheduler of a call: that of the checkpoint, with the entries that the call says.
 *
 * @throws UserError for entries that its class does not have, and for noise that it does not add; UnsupportedError for one whose loop is
 *   another
 */
export function openScheduler({
  model,
  scheduler: said,
  eta,
}: Pick<CheckedGenerate, 'model' | 'scheduler' | 'eta'>): DiffusersScheduler<Tensor> {
  const opened = fromDiffusersConfig<Tensor>(
    { ...model.scheduler, ...said },
    { algebra: tensorAlgebra(model.engine ? { engine: model.engine } : {}) },
  );
  const { className, unknownKeys, config, stepOptions } = opened;
  const loop = OTHER_LOOPS[className];
  if (loop !== undefined)
    throw new UnsupportedError(
      `[${WHERE}] scheduler is of another loop: _class_name=${className}, whose loop is ${loop}. Take another, such as DDIMScheduler.`,
    );
  // What a checkpoint's own file says beside is kept, as in diffusers: it may be of the class before.
  const unknown = unknownKeys.find((key) => Object.hasOwn(said, key) && said[key] !== model.scheduler[key]);
  if (unknown !== undefined)
    throw new UserError(
      `[${WHERE}] ${className} has no such entry, and would do nothing with it: ${unknown.slice(0, 60)}.`
        + `${didYouMean(unknown, Object.keys(config))} Known: ${Object.keys(config).join(', ')}.`,
    );
  if (eta > 0 && !stepOptions.includes('eta'))
    throw new UserError(`[${WHERE}] ${className} adds no noise by eta: eta=${eta}. Leave it out, or take DDIMScheduler.`);
  return opened;
}

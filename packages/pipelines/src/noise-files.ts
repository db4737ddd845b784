import { noiseRecipe, type NoiseParts, type NoiseRecipe } from '@langevin/diffusion';
import { UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { readChecked } from './checked.ts';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

/** Schedulers of diffusers that say all that sampling has to know of a model. */
const SCHEDULERS = ['EDMEulerScheduler', 'EDMDPMSolverMultistepScheduler'] as const;

/** `scheduler_config.json`, in the form of diffusers' EDM schedulers, with their defaults. */
const schedulerSchema = v.looseObject({
  _class_name: v.optional(v.picklist(SCHEDULERS)),
  sigma_min: v.optional(positive, 0.002),
  sigma_max: v.optional(positive, 80),
  sigma_data: v.optional(positive, 0.5),
  rho: v.optional(positive, 7),
  prediction_type: v.optional(
    v.picklist(['epsilon'], 'Only "epsilon", which stands for the sign of Karras et al., is known here'),
    'epsilon',
  ),
});

/**
 * The noise of a model from the file of its scheduler.
 *
 * @throws UserError for a file of another form; UnsupportedError for a scheduler of another kind, which is no fault of the file
 */
export async function readScheduler(path: string): Promise<NoiseRecipe> {
  const { _class_name: className } = await readChecked(path, v.looseObject({ _class_name: v.optional(v.string()) }));
  if (className !== undefined && !SCHEDULERS.some((known) => known === className))
    throw new UnsupportedError(
      `[pipelines/folder] scheduler is not supported: _class_name=${JSON.stringify(className.slice(0, 80))}, file=${path}. Models are `
        + `loaded with ${SCHEDULERS.join(' or ')}, or with "noise" in model_index.json; that of others can be put together by hand, see `
        + 'docs/cookbook.md.',
    );
  const config = await readChecked(path, schedulerSchema);
  if (config.sigma_min >= config.sigma_max)
    throw new UserError(
      `[pipelines/files] noise levels have no range: file=${path}, sigma_min=${config.sigma_min}, sigma_max=${config.sigma_max}. `
        + 'Correct the file.',
    );
  return recipeOf(config);
}

function recipeOf({ sigma_min, sigma_max, sigma_data, rho }: v.InferOutput<typeof schedulerSchema>): NoiseRecipe {
  return noiseRecipe({
    process: { name: 'edm', sigmaMin: sigma_min, sigmaMax: sigma_max, rho },
    preconditioning: { name: 'edm', sigmaData: sigma_data },
  });
}

/**
 * A scheduler of diffusers that stands for the same noise, as its `scheduler_config.json`, where the process declares one for such
 * networks; undefined where there is none: such a model is read by its `noise` alone.
 */
export function schedulerOf({ process, preconditioning, prediction }: NoiseRecipe): Readonly<Record<string, unknown>> | undefined {
  const { scheduler } = process;
  if (scheduler?.network !== (prediction ?? preconditioning.name)) return undefined;
  return { ...scheduler.config, ...preconditioning.scheduler };
}

/** Whether the scheduler of a model says all of its noise, so that {@link readScheduler} gives the same parts again. */
export function isRead({ process, preconditioning }: NoiseRecipe, scheduler: Readonly<Record<string, unknown>> | undefined): boolean {
  if (!SCHEDULERS.some((name) => name === scheduler?.['_class_name'])) return false;
  const parsed = v.safeParse(schedulerSchema, scheduler);
  if (!parsed.success) return false;
  const again = recipeOf(parsed.output);
  return again.process.name === process.name && again.preconditioning.name === preconditioning.name;
}

/** `noise` of model_index.json. @throws UserError naming the file, when an entry is wrong */
export function parseNoise(config: unknown, { file, parts }: { readonly file: string; readonly parts: Partial<NoiseParts> }): NoiseRecipe {
  try {
    return noiseRecipe(config, parts);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${error.message} File: ${file}.`, { cause: error });
    throw error;
  }
}

import type { Evidence } from './evidence.ts';

/** The pipelines of Stable Diffusion 1 and 2, whose early files carry two entries that harm. */
const REPAIRED = /^(?:StableDiffusion(?:PAG)?|AltDiffusion)(?:Img2Img|Inpaint)?Pipeline$/u;

/**
 * A scheduler's configuration as diffusers takes it for Stable Diffusion 1 and 2: early files have `steps_offset` 0 or `clip_sample` true,
 * or have them by default, which these models were not trained for; diffusers corrects both with a warning.
 *
 * @param config with the defaults of its class filled in
 * @param pipeline the class in model_index.json
 */
export function repairScheduler(
  config: Readonly<Record<string, unknown>>,
  pipeline: string,
): { readonly config: Readonly<Record<string, unknown>>; readonly evidence: readonly Evidence[] } {
  if (!REPAIRED.test(pipeline)) return { config, evidence: [] };
  const wanted: Readonly<Record<string, unknown>> = {
    ...('steps_offset' in config && config['steps_offset'] !== 1 && { steps_offset: 1 }),
    ...(config['clip_sample'] === true && { clip_sample: false }),
  };
  const evidence = Object.entries(wanted).map(([key, value]) => ({
    component: 'scheduler',
    what: key,
    value: String(value),
    from: `repaired as in diffusers: it was ${String(config[key])}, which these models were not trained with`,
  }));
  return { config: { ...config, ...wanted }, evidence };
}

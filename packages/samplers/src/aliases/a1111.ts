import type { SamplerAlias, SpacingAlias } from './alias.ts';

const brownian = { noise: 'brownian-tree' } as const;
const dropped = { grid: 'drop-penultimate' } as const;

/**
 * The sampler labels of AUTOMATIC1111's web UI, as its users and the metadata of their pictures write them.
 *
 * @example
 * a1111Samplers['DPM++ 2S a']; // => { sampler: 'dpmpp-2s-ancestral' }
 */
export const a1111Samplers = {
  'Euler a': { sampler: 'euler-ancestral' },
  Euler: { sampler: 'euler' },
  LMS: { sampler: 'lms' },
  Heun: { sampler: 'heun' },
  DPM2: { sampler: 'dpm-2', ...dropped },
  'DPM2 a': { sampler: 'dpm-2-ancestral', ...dropped },
  'DPM++ 2S a': { sampler: 'dpmpp-2s-ancestral' },
  'DPM++ 2M': { sampler: 'dpmpp-2m', options: { lowerOrderFinal: 'clean' } },
  'DPM++ SDE': { sampler: 'dpmpp-sde', ...brownian },
  'DPM++ 2M SDE': { sampler: 'dpmpp-2m-sde', options: { solverType: 'midpoint' }, ...brownian },
  'DPM++ 2M SDE Heun': { sampler: 'dpmpp-2m-sde', options: { solverType: 'heun' }, ...brownian },
  'DPM++ 3M SDE': { sampler: 'dpmpp-3m-sde', options: { weights: 'reference' }, ...brownian },
  'DPM fast': { sampler: 'dpm-fast', note: 'There the levels between the ends are its own; dpmFastLevels() gives them.' },
  'DPM adaptive': {
    sampler: 'dpm-adaptive',
    note: 'There only the ends of the grid count; here every level of it is a place where a step ends.',
  },
  LCM: { sampler: 'lcm' },
  DDIM: { sampler: 'ddim' },
  'DDIM CFG++': { sampler: 'euler-cfg-pp' },
  PLMS: { sampler: 'pndm', options: { form: 'plms' } },
  UniPC: { sampler: 'unipc', options: { variant: 'bh1', order: 3, lowerOrderFinal: 'always' } },
  Restart: { sampler: 'restart' },
} as const satisfies Readonly<Record<string, SamplerAlias>>;

/**
 * The schedule types of the same program, which older versions wrote behind the sampler: "DPM++ 2M Karras".
 *
 * @example
 * a1111Spacings['Uniform']; // => { spacing: 'normal' }
 */
export const a1111Spacings = {
  Uniform: { spacing: 'normal' },
  Karras: { spacing: 'karras' },
  Exponential: { spacing: 'exponential' },
  Polyexponential: { spacing: 'polyexponential' },
  'SGM Uniform': { spacing: 'sgm-uniform' },
  'KL Optimal': { spacing: 'kl-optimal' },
  'Align Your Steps': { spacing: 'align-your-steps' },
  Simple: { spacing: 'simple' },
  Normal: { spacing: 'normal' },
  DDIM: { spacing: 'ddim-uniform' },
  Beta: { spacing: 'beta' },
} as const satisfies Readonly<Record<string, SpacingAlias>>;

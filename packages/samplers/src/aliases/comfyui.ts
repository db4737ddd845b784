import type { SamplerAlias, SpacingAlias } from './alias.ts';

const brownian = { noise: 'brownian-tree' } as const;
const onDevice = { ...brownian, note: 'There the noise is drawn on the GPU; here it is the same path as without _gpu.' } as const;
const dropped = { grid: 'drop-penultimate' } as const;

/** On a flow these renoise in the rectified-flow form there. */
const byProcess = { options: { form: 'by-process' } } as const;
/** A step to a clean level is the prediction itself there. */
const cleanEnd = { options: { lowerOrderFinal: 'clean' } } as const;
const reference = { options: { weights: 'reference' } } as const;
const saSolver = { tauAt: 'target', lowerOrderFinal: 'early' } as const;
const middle =
  "There tau is 1 from 20% to 80% of the model's time, here where sigma / alpha is in 0.05..1: give tau for the model at hand.";
const midpointInTime = 'On a flow the middle of a step is taken in log t there, here in log (sigma / alpha).';
const nearlyClean = 'There the run ends at sigma = 0.001, here at 0.';
const ownGrid = 'There the levels between the ends are its own; dpmFastLevels() gives them.';
const twoLevels = 'There only the ends of the grid count; here every level of it is a place where a step ends.';

/**
 * ComfyUI's sampler names, in the order of its menu, and what they are here.
 *
 * @example
 * Object.keys(comfyuiSamplers).length; // => 42
 */
export const comfyuiSamplers = {
  euler: { sampler: 'euler' },
  euler_cfg_pp: { sampler: 'euler-cfg-pp' },
  euler_ancestral: { sampler: 'euler-ancestral', ...byProcess },
  euler_ancestral_cfg_pp: { sampler: 'euler-ancestral-cfg-pp' },
  heun: { sampler: 'heun' },
  heunpp2: { sampler: 'heunpp2' },
  dpm_2: { sampler: 'dpm-2', ...dropped },
  dpm_2_ancestral: { sampler: 'dpm-2-ancestral', ...byProcess, ...dropped, note: midpointInTime },
  lms: { sampler: 'lms', ...cleanEnd },
  dpm_fast: { sampler: 'dpm-fast', note: ownGrid },
  dpm_adaptive: { sampler: 'dpm-adaptive', note: twoLevels },
  dpmpp_2s_ancestral: { sampler: 'dpmpp-2s-ancestral', ...byProcess },
  dpmpp_2s_ancestral_cfg_pp: { sampler: 'dpmpp-2s-ancestral-cfg-pp' },
  dpmpp_sde: { sampler: 'dpmpp-sde', ...brownian },
  dpmpp_sde_gpu: { sampler: 'dpmpp-sde', ...onDevice },
  dpmpp_2m: { sampler: 'dpmpp-2m', ...cleanEnd },
  dpmpp_2m_cfg_pp: { sampler: 'dpmpp-2m-cfg-pp' },
  dpmpp_2m_sde: { sampler: 'dpmpp-2m-sde', options: { solverType: 'midpoint' }, ...brownian },
  dpmpp_2m_sde_gpu: { sampler: 'dpmpp-2m-sde', options: { solverType: 'midpoint' }, ...onDevice },
  dpmpp_2m_sde_heun: { sampler: 'dpmpp-2m-sde', options: { solverType: 'heun' }, ...brownian },
  dpmpp_2m_sde_heun_gpu: { sampler: 'dpmpp-2m-sde', options: { solverType: 'heun' }, ...onDevice },
  dpmpp_3m_sde: { sampler: 'dpmpp-3m-sde', ...reference, ...brownian },
  dpmpp_3m_sde_gpu: { sampler: 'dpmpp-3m-sde', ...reference, ...onDevice },
  ddpm: { sampler: 'ddpm' },
  lcm: { sampler: 'lcm' },
  ipndm: { sampler: 'ipndm', ...cleanEnd },
  ipndm_v: { sampler: 'ipndm-v', options: { ...reference.options, ...cleanEnd.options } },
  deis: {
    sampler: 'deis',
    options: { order: 3 },
    note:
      'There times are those of a VP process whose sigma goes from 0.002 to 80. As a sampler of this package the name means four '
      + 'evaluations, there three.',
  },
  res_multistep: { sampler: 'res-multistep' },
  res_multistep_cfg_pp: { sampler: 'res-multistep-cfg-pp' },
  res_multistep_ancestral: { sampler: 'res-multistep-ancestral' },
  res_multistep_ancestral_cfg_pp: { sampler: 'res-multistep-ancestral-cfg-pp' },
  gradient_estimation: { sampler: 'gradient-estimation' },
  gradient_estimation_cfg_pp: { sampler: 'gradient-estimation-cfg-pp' },
  er_sde: { sampler: 'er-sde', ...reference },
  seeds_2: { sampler: 'seeds-2' },
  seeds_3: { sampler: 'seeds-3' },
  sa_solver: { sampler: 'sa-solver', options: saSolver, note: middle },
  sa_solver_pece: { sampler: 'sa-solver', options: { ...saSolver, mode: 'pece' }, note: middle },
  ddim: { sampler: 'ddim', note: 'There it is Euler in sigma, which is the same.' },
  uni_pc: { sampler: 'unipc', options: { variant: 'bh1', order: 3, lowerOrderFinal: 'always' }, ...dropped, note: nearlyClean },
  uni_pc_bh2: { sampler: 'unipc', options: { variant: 'bh2', order: 3, lowerOrderFinal: 'always' }, ...dropped, note: nearlyClean },
} as const satisfies Readonly<Record<string, SamplerAlias>>;

/**
 * ComfyUI's scheduler names, in the order of its menu.
 *
 * @example
 * Object.keys(comfyuiSpacings).length; // => 9
 */
export const comfyuiSpacings = {
  simple: { spacing: 'simple' },
  sgm_uniform: { spacing: 'sgm-uniform' },
  karras: { spacing: 'karras' },
  exponential: { spacing: 'exponential' },
  ddim_uniform: { spacing: 'ddim-uniform' },
  beta: { spacing: 'beta' },
  normal: { spacing: 'normal' },
  linear_quadratic: { spacing: 'linear-quadratic' },
  kl_optimal: { spacing: 'kl-optimal' },
} as const satisfies Readonly<Record<string, SpacingAlias>>;

import type { Sampler } from '@langevin/core';
import { samplers } from '@langevin/samplers';

/** A sampler with the options that its label names, as the figures show it. */
export interface Contestant {
  readonly label: string;
  readonly sampler: Sampler;
}

const of = (name: string, options?: object, label = name): Contestant => ({ label, sampler: samplers.create(name, options) });

/** Deterministic samplers whose error along the ODE is compared. */
export const odeContestants = (): readonly Contestant[] => [
  of('euler'),
  of('heun'),
  of('dpm-2'),
  of('dpmpp-2s'),
  of('dpmpp-2m'),
  of('dpmpp-3m'),
  of('dpm-solver', { order: 3 }, 'dpm-solver, order 3'),
  of('unipc', { order: 2 }, 'unipc, order 2'),
  of('unipc', { order: 3 }, 'unipc, order 3'),
  of('deis', { order: 4 }, 'deis, order 4'),
  of('ipndm'),
  of('lms'),
  of('res-multistep'),
];

/** Samplers whose distribution is compared: with noise, and two without for scale. */
export const distributionContestants = (): readonly Contestant[] => [
  of('euler'),
  of('dpmpp-2m'),
  of('ddpm'),
  of('euler-ancestral'),
  of('dpmpp-2s-ancestral'),
  of('dpmpp-sde'),
  of('dpmpp-2m-sde'),
  of('dpmpp-3m-sde'),
  of('er-sde'),
  of('seeds-2'),
  of('sa-solver'),
  of('heun', { sChurn: 20 }, 'heun, churn 20'),
];

/** Samplers that are compared on the network of the main job. */
export const imageContestants = (): readonly Contestant[] => [
  of('euler'),
  of('heun'),
  of('dpmpp-2m'),
  of('unipc', { order: 2 }, 'unipc, order 2'),
  of('deis', { order: 4 }, 'deis, order 4'),
  of('euler-ancestral'),
  of('dpmpp-2m-sde'),
  of('heun', { sChurn: 20 }, 'heun, churn 20'),
];

// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Spacing } from '../grid/spacing.ts';
import { alignYourSteps } from './align-your-steps.ts';
import { betaSpacing } from './beta.ts';
import { customSpacing } from './custom.ts';
import { ddimUniform } from './ddim-uniform.ts';
import { exponential } from './exponential.ts';
import { gits } from './gits.ts';
import { karras } from './karras.ts';
import { klOptimal } from './kl-optimal.ts';
import { laplaceSpacing } from './laplace.ts';
import { leading } from './leading.ts';
import { linearQuadratic } from './linear-quadratic.ts';
import { linspaceTimes } from './linspace.ts';
import { normalSpacing } from './normal.ts';
import { polyexponential } from './polyexponential.ts';
import { quadraticTimes } from './quadratic.ts';
import { sgmUniform } from './sgm-uniform.ts';
import { simpleSpacing } from './simple.ts';
import { trailing } from './trailing.ts';
import { uniformLambda } from './uniform-lambda.ts';
import { vpSpacing } from './vp.ts';

export * from './align-your-steps.ts';
export * from './beta.ts';
export * from './custom.ts';
export * from './ddim-uniform.ts';
export * from './exponential.ts';
export * from './gits.ts';
export * from './karras.ts';
export * from './kl-optimal.ts';
export * from './laplace.ts';
export * from './leading.ts';
export * from './linear-quadratic.ts';
export * from './linspace.ts';
export * from './normal.ts';
export * from './polyexponential.ts';
export * from './quadratic.ts';
export * from './sgm-uniform.ts';
export * from './simple.ts';
export * from './trailing.ts';
export * from './uniform-lambda.ts';
export * from './vp.ts';

/** Spacings by name, for command lines and plugins: one for each file of this folder. */
export const spacings: Registry<Spacing> = /* @__PURE__ */ createRegistry(
  'spacing',
  {
    'align-your-steps': alignYourSteps,
    beta: betaSpacing,
    custom: customSpacing,
    'ddim-uniform': ddimUniform,
    exponential,
    gits,
    karras,
    'kl-optimal': klOptimal,
    laplace: laplaceSpacing,
    leading,
    'linear-quadratic': linearQuadratic,
    linspace: linspaceTimes,
    normal: normalSpacing,
    polyexponential,
    quadratic: quadraticTimes,
    'sgm-uniform': sgmUniform,
    simple: simpleSpacing,
    trailing,
    'uniform-lambda': uniformLambda,
    vp: vpSpacing,
  },
  {
    'align-your-steps': ['model'],
    beta: ['sigmaMin', 'sigmaMax', 'a', 'b', 'over'],
    custom: ['sigmas', 'times', 'timesteps', 'levels'],
    'ddim-uniform': [],
    exponential: ['sigmaMin', 'sigmaMax'],
    gits: ['teacher', 'table', 'items', 'metric', 'coefficient'],
    karras: ['sigmaMin', 'sigmaMax', 'rho'],
    'kl-optimal': ['sigmaMin', 'sigmaMax'],
    laplace: ['sigmaMin', 'sigmaMax', 'mu', 'beta'],
    leading: ['offset'],
    'linear-quadratic': ['threshold', 'linearSteps', 'sigmaMax'],
    linspace: [],
    normal: [],
    polyexponential: ['sigmaMin', 'sigmaMax', 'rho'],
    quadratic: [],
    'sgm-uniform': [],
    simple: [],
    trailing: [],
    'uniform-lambda': ['sigmaMin', 'sigmaMax'],
    vp: ['betaD', 'betaMin', 'epsilon'],
  },
);

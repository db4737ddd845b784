// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry, type Sampler } from '@langevin/core';
import { consistency } from './consistency.ts';
import { ctm } from './ctm.ts';
import { ddim } from './ddim.ts';
import { ddpm } from './ddpm.ts';
import { deis } from './deis.ts';
import { dpm2 } from './dpm-2.ts';
import { dpm2Ancestral } from './dpm-2-ancestral.ts';
import { dpmAdaptive } from './dpm-adaptive.ts';
import { dpmFast } from './dpm-fast.ts';
import { dpmSolver } from './dpm-solver.ts';
import { dpmpp2m } from './dpmpp-2m.ts';
import { dpmpp2mCfgPp } from './dpmpp-2m-cfg-pp.ts';
import { dpmpp2mSde } from './dpmpp-2m-sde.ts';
import { dpmpp2s } from './dpmpp-2s.ts';
import { dpmpp2sAncestral } from './dpmpp-2s-ancestral.ts';
import { dpmpp2sAncestralCfgPp } from './dpmpp-2s-ancestral-cfg-pp.ts';
import { dpmpp3m } from './dpmpp-3m.ts';
import { dpmpp3mSde } from './dpmpp-3m-sde.ts';
import { dpmppSde } from './dpmpp-sde.ts';
import { erSde } from './er-sde.ts';
import { euler } from './euler.ts';
import { eulerAncestral } from './euler-ancestral.ts';
import { eulerAncestralCfgPp } from './euler-ancestral-cfg-pp.ts';
import { eulerCfgPp } from './euler-cfg-pp.ts';
import { eulerMaruyama } from './euler-maruyama.ts';
import { flowHeun } from './flow-heun.ts';
import { gddim } from './gddim.ts';
import { gottaGoFast } from './gotta-go-fast.ts';
import { gradientEstimation } from './gradient-estimation.ts';
import { gradientEstimationCfgPp } from './gradient-estimation-cfg-pp.ts';
import { heun } from './heun.ts';
import { heunpp2 } from './heunpp2.ts';
import { ipndm } from './ipndm.ts';
import { ipndmV } from './ipndm-v.ts';
import { lcm } from './lcm.ts';
import { lms } from './lms.ts';
import { pndm } from './pndm.ts';
import { predictorCorrector } from './predictor-corrector.ts';
import { repaint } from './repaint.ts';
import { resMultistep } from './res-multistep.ts';
import { resMultistepAncestral } from './res-multistep-ancestral.ts';
import { resMultistepAncestralCfgPp } from './res-multistep-ancestral-cfg-pp.ts';
import { resMultistepCfgPp } from './res-multistep-cfg-pp.ts';
import { restart } from './restart.ts';
import { rk45 } from './rk45.ts';
import { saSolver } from './sa-solver.ts';
import { scm } from './scm.ts';
import { seeds2 } from './seeds-2.ts';
import { seeds3 } from './seeds-3.ts';
import { tcd } from './tcd.ts';
import { unipc } from './unipc.ts';

export * from './consistency.ts';
export * from './ctm.ts';
export * from './ddim.ts';
export * from './ddpm.ts';
export * from './deis.ts';
export * from './dpm-2.ts';
export * from './dpm-2-ancestral.ts';
export * from './dpm-adaptive.ts';
export * from './dpm-fast.ts';
export * from './dpm-solver.ts';
export * from './dpmpp-2m.ts';
export * from './dpmpp-2m-cfg-pp.ts';
export * from './dpmpp-2m-sde.ts';
export * from './dpmpp-2s.ts';
export * from './dpmpp-2s-ancestral.ts';
export * from './dpmpp-2s-ancestral-cfg-pp.ts';
export * from './dpmpp-3m.ts';
export * from './dpmpp-3m-sde.ts';
export * from './dpmpp-sde.ts';
export * from './er-sde.ts';
export * from './euler.ts';
export * from './euler-ancestral.ts';
export * from './euler-ancestral-cfg-pp.ts';
export * from './euler-cfg-pp.ts';
export * from './euler-maruyama.ts';
export * from './flow-heun.ts';
export * from './gddim.ts';
export * from './gotta-go-fast.ts';
export * from './gradient-estimation.ts';
export * from './gradient-estimation-cfg-pp.ts';
export * from './heun.ts';
export * from './heunpp2.ts';
export * from './ipndm.ts';
export * from './ipndm-v.ts';
export * from './lcm.ts';
export * from './lms.ts';
export * from './pndm.ts';
export * from './predictor-corrector.ts';
export * from './repaint.ts';
export * from './res-multistep.ts';
export * from './res-multistep-ancestral.ts';
export * from './res-multistep-ancestral-cfg-pp.ts';
export * from './res-multistep-cfg-pp.ts';
export * from './restart.ts';
export * from './rk45.ts';
export * from './sa-solver.ts';
export * from './scm.ts';
export * from './seeds-2.ts';
export * from './seeds-3.ts';
export * from './tcd.ts';
export * from './unipc.ts';

/** Samplers by name, for command lines and plugins: one for each file of this folder. */
export const samplers: Registry<Sampler> = /* @__PURE__ */ createRegistry(
  'sampler',
  {
    consistency,
    ctm,
    ddim,
    ddpm,
    deis,
    'dpm-2': dpm2,
    'dpm-2-ancestral': dpm2Ancestral,
    'dpm-adaptive': dpmAdaptive,
    'dpm-fast': dpmFast,
    'dpm-solver': dpmSolver,
    'dpmpp-2m': dpmpp2m,
    'dpmpp-2m-cfg-pp': dpmpp2mCfgPp,
    'dpmpp-2m-sde': dpmpp2mSde,
    'dpmpp-2s': dpmpp2s,
    'dpmpp-2s-ancestral': dpmpp2sAncestral,
    'dpmpp-2s-ancestral-cfg-pp': dpmpp2sAncestralCfgPp,
    'dpmpp-3m': dpmpp3m,
    'dpmpp-3m-sde': dpmpp3mSde,
    'dpmpp-sde': dpmppSde,
    'er-sde': erSde,
    euler,
    'euler-ancestral': eulerAncestral,
    'euler-ancestral-cfg-pp': eulerAncestralCfgPp,
    'euler-cfg-pp': eulerCfgPp,
    'euler-maruyama': eulerMaruyama,
    'flow-heun': flowHeun,
    gddim,
    'gotta-go-fast': gottaGoFast,
    'gradient-estimation': gradientEstimation,
    'gradient-estimation-cfg-pp': gradientEstimationCfgPp,
    heun,
    heunpp2,
    ipndm,
    'ipndm-v': ipndmV,
    lcm,
    lms,
    pndm,
    'predictor-corrector': predictorCorrector,
    repaint,
    'res-multistep': resMultistep,
    'res-multistep-ancestral': resMultistepAncestral,
    'res-multistep-ancestral-cfg-pp': resMultistepAncestralCfgPp,
    'res-multistep-cfg-pp': resMultistepCfgPp,
    restart,
    rk45,
    'sa-solver': saSolver,
    scm,
    'seeds-2': seeds2,
    'seeds-3': seeds3,
    tcd,
    unipc,
  },
  {
    consistency: ['sigmaMin', 'sNoise'],
    ctm: ['gamma'],
    ddim: ['eta', 'direction'],
    ddpm: ['variance', 'transition'],
    deis: ['form', 'order', 'process', 'lowerOrderFinal'],
    'dpm-2': ['sChurn', 'sTMin', 'sTMax', 'sNoise'],
    'dpm-2-ancestral': ['eta', 'sNoise', 'form'],
    'dpm-adaptive': ['order', 'rtol', 'atol', 'firstStep', 'control', 'safety', 'maxSteps', 'eta', 'sNoise'],
    'dpm-fast': ['prediction', 'eta', 'sNoise'],
    'dpm-solver': ['order', 'form', 'prediction', 'solverType', 'weights', 'lowerOrderFinal', 'eta'],
    'dpmpp-2m': ['solverType', 'lowerOrderFinal'],
    'dpmpp-2m-cfg-pp': ['solverType', 'lowerOrderFinal', 'slopes'],
    'dpmpp-2m-sde': ['eta', 'sNoise', 'prediction', 'lowerOrderFinal', 'solverType', 'order'],
    'dpmpp-2s': ['r'],
    'dpmpp-2s-ancestral': ['eta', 'sNoise', 'form', 'r'],
    'dpmpp-2s-ancestral-cfg-pp': ['eta', 'sNoise', 'form', 'r', 'slopes'],
    'dpmpp-3m': ['weights', 'solverType', 'lowerOrderFinal'],
    'dpmpp-3m-sde': ['eta', 'sNoise', 'prediction', 'lowerOrderFinal', 'weights', 'solverType'],
    'dpmpp-sde': ['eta', 'sNoise', 'r'],
    'er-sde': ['order', 'noiseScale', 'sNoise', 'weights', 'lowerOrderFinal'],
    euler: ['sChurn', 'sTMin', 'sTMax', 'sNoise'],
    'euler-ancestral': ['eta', 'sNoise', 'form'],
    'euler-ancestral-cfg-pp': ['eta', 'sNoise', 'form'],
    'euler-cfg-pp': [],
    'euler-maruyama': ['form', 'rates'],
    'flow-heun': [],
    gddim: ['order', 'corrector', 'process'],
    'gotta-go-fast': ['rtol', 'atol', 'firstStep', 'safety', 'exponent', 'rejected', 'sigmaMin', 'maxAttempts'],
    'gradient-estimation': ['gamma'],
    'gradient-estimation-cfg-pp': ['gamma'],
    heun: ['sChurn', 'sTMin', 'sTMax', 'sNoise'],
    heunpp2: ['sChurn', 'sTMin', 'sTMax', 'sNoise'],
    ipndm: ['order', 'lowerOrderFinal'],
    'ipndm-v': ['order', 'weights', 'lowerOrderFinal'],
    lcm: [],
    lms: ['order', 'lowerOrderFinal'],
    pndm: ['form', 'middle', 'legs'],
    'predictor-corrector': ['snr', 'correctorSteps', 'norms'],
    repaint: ['known', 'jumpLength', 'jumpSamples', 'base'],
    'res-multistep': ['lowerOrderFinal'],
    'res-multistep-ancestral': ['eta', 'sNoise', 'form', 'lowerOrderFinal'],
    'res-multistep-ancestral-cfg-pp': ['eta', 'sNoise', 'form', 'lowerOrderFinal', 'slopes'],
    'res-multistep-cfg-pp': ['lowerOrderFinal', 'slopes'],
    restart: ['intervals', 'base'],
    rk45: ['rtol', 'atol', 'steps', 'sigmaMin', 'maxSteps'],
    'sa-solver': ['predictorOrder', 'correctorOrder', 'mode', 'tau', 'tauAt', 'prediction', 'weights', 'sNoise', 'lowerOrderFinal'],
    scm: [],
    'seeds-2': ['eta', 'sNoise', 'r', 'solverType'],
    'seeds-3': ['eta', 'sNoise', 'r1', 'r2'],
    tcd: ['eta', 'process'],
    unipc: ['order', 'variant', 'prediction', 'corrector', 'lowerOrderFinal', 'predictor'],
  },
);

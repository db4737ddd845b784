import type { NoiseProcess } from './noise-process.ts';
import { discreteVp } from './processes/discrete-vp.ts';
import { edm } from './processes/edm.ts';
import { flow } from './processes/flow.ts';
import { vpCosine } from './processes/vp-cosine.ts';
import { vpLinear } from './processes/vp-linear.ts';
import { createRegistry, type Registry } from './registry.ts';
import { karras } from './spacings/karras.ts';
import { leading } from './spacings/leading.ts';
import { linspaceTimes } from './spacings/linspace.ts';
import type { Spacing } from './spacings/spacing.ts';
import { trailing } from './spacings/trailing.ts';
import { uniformLambda } from './spacings/uniform-lambda.ts';

/** Noise processes by name, for command lines and configuration files; one for each file of processes/. */
export const processes: Registry<NoiseProcess> = /* @__PURE__ */ createRegistry('process', {
  'discrete-vp': discreteVp,
  edm,
  flow,
  'vp-cosine': vpCosine,
  'vp-linear': vpLinear,
});

/** Spacings by name. `exponential` is k-diffusion's name of uniform-lambda. */
export const spacings: Registry<Spacing> = /* @__PURE__ */ createRegistry('spacing', {
  exponential: uniformLambda,
  karras,
  leading,
  linspace: linspaceTimes,
  trailing,
  'uniform-lambda': uniformLambda,
});

import type { Sampler } from '@langevin/core';
import { samplers } from '@langevin/samplers';
import { measureOrder, measureWeakOrder, samplerChecks, type Accuracy } from '@langevin/samplers/testing';

/** A sampler at chosen options, and what it claims where that is not an order of accuracy. */
interface Candidate {
  readonly sampler: Sampler;
  readonly label: string;
  readonly accuracy?: Accuracy;
}

const of = (name: string, options?: object, accuracy?: Accuracy): Candidate => ({
  sampler: samplers.create(name, options),
  label:
    options === undefined ? name : `${name} ${JSON.stringify(options).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ')}`,
  ...(accuracy && { accuracy }),
});

/** Options worth a row of their own. */
const VARIANTS: readonly Candidate[] = [
  of('ddim', { eta: 1 }),
  of('ddpm', { variance: 'large' }),
  of('deis', { form: 'tab', order: 2 }),
  of('deis', { form: 'tab', order: 3 }),
  of('deis', { form: 'tab', order: 4 }),
  of('deis', { form: 'rho-ab', order: 3 }),
  of('deis', { form: 'rho-rk3' }),
  of('deis', { form: 'rho-rk4' }),
  of('dpm-solver', { order: 1 }),
  of('dpm-solver', { order: 2 }),
  of('dpm-solver', { order: 3 }),
  of('dpm-solver', { order: 3, prediction: 'x0' }),
  of('dpm-solver', { order: 2, form: 'multistep' }),
  of('dpmpp-3m', { weights: 'reference' }),
  of('pndm', { form: 's' }),
  of('pndm', { form: 'f' }),
  of('unipc', { order: 1 }),
  of('unipc', { order: 2 }),
  of('unipc', { order: 3 }),
  of('unipc', { order: 3, variant: 'bh1' }),
  of('unipc', { order: 2, corrector: 'never' }),
  of('unipc', { order: 3, corrector: 'never' }),
  of('lms', { order: 3 }),
  of('ipndm-v', { order: 4 }),
  of('heun', { sChurn: 40, sTMin: 0.05, sTMax: 50 }),
  of('dpmpp-2m-sde', { solverType: 'heun' }),
];

/** Samplers whose steps are not of an order: exactness, tolerance or samples are checked instead, as in the conformance kit's own tests. */
const CLAIMS: Readonly<Record<string, Accuracy>> = {
  consistency: { kind: 'consistency', data: 'gaussian', sigmaMin: 0.002 },
  lcm: { kind: 'consistency', data: 'gaussian' },
  scm: { kind: 'consistency', data: 'gaussian' },
  rk45: { kind: 'tolerance', sampler: (tolerance) => samplers.create('rk45', { rtol: tolerance, atol: tolerance }) },
  'gotta-go-fast': { kind: 'sampled', bias: 0.01 },
  'predictor-corrector': { kind: 'sampled', bias: 0.01, steps: 100 },
  restart: { kind: 'sampled', bias: 0.01, steps: 30 },
};

/** Samplers that are of an order in one of their forms alone; whole runs of the other are held to its formula by a test. */
const FORMS: Readonly<Record<string, object>> = { 'dpmpp-2s-ancestral-cfg-pp': { slopes: 'guided' } };

export interface OrderRow {
  readonly sampler: string;
  readonly claim: string;
  readonly found: string;
  readonly holds: boolean;
}

/** Every sampler of the registry, and chosen options: what it claims and what was measured. */
export async function orderRows(skip: readonly string[] = []): Promise<readonly OrderRow[]> {
  const rows: OrderRow[] = [];
  for (const name of samplers.names.filter((known) => !skip.includes(known))) {
    const accuracy = CLAIMS[name];
    rows.push(await row(of(name, FORMS[name], accuracy)));
    for (const variant of VARIANTS.filter(({ sampler }) => sampler.name === name)) rows.push(await row(variant));
  }
  return rows;
}

async function row({ sampler, label, accuracy }: Candidate): Promise<OrderRow> {
  if (accuracy !== undefined) return claimed(sampler, label, accuracy);
  const tolerance = sampler.order <= 2 ? 0.15 : 0.3;
  const measured = sampler.stochastic
    ? [await measureWeakOrder(sampler)]
    : [await measureOrder(sampler, 'gaussian'), await measureOrder(sampler, 'mixture')];
  const exact = measured.map(({ errors }) => errors.every((error) => error < 1e-10));
  return {
    sampler: label,
    claim: `${sampler.stochastic ? 'weak ' : ''}order ${sampler.order}`,
    found: measured
      .map(({ slope, errors }, i) =>
        exact[i] ? 'exact' : `${slope.toFixed(2)} (${errors[0]!.toExponential(1)} to ${errors.at(-1)!.toExponential(1)})`,
      )
      .join(sampler.stochastic ? '' : '; '),
    // Gaussian data are symmetric, which may cancel leading errors: there a method may do better than it claims.
    holds: measured.every(
      ({ slope }, i) => exact[i] || (slope >= sampler.order - tolerance && (i === 0 || slope <= sampler.order + tolerance)),
    ),
  };
}

const CLAIM_TEXT: Record<Accuracy['kind'], string> = {
  order: 'order',
  consistency: 'exact marginals, given the consistency function',
  tolerance: 'error follows the tolerance',
  sampled: 'mean and deviation of samples',
  formula: 'a published formula',
};

/** The check of the kit that belongs to the claim. */
async function claimed(sampler: Sampler, label: string, accuracy: Accuracy): Promise<OrderRow> {
  const plain = new Set(samplerChecks(sampler).map(({ name }) => name));
  const check = samplerChecks(sampler, { accuracy }).find(({ name }) => !plain.has(name));
  if (check === undefined) throw new Error(`the kit has no check of accuracy for ${label}`);
  const failure = await check.run().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return { sampler: label, claim: CLAIM_TEXT[accuracy.kind], found: failure ?? 'holds', holds: failure === undefined };
}

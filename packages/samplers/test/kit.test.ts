// A kit that nothing can fail proves nothing: each of these samplers breaks one promise, and the kit must say which.
import { defineSampler, type Sampler, type SamplerDefinition, sigmaLevel } from '@langevin/core';
import { consistency, ddim, ddpm, euler, gottaGoFast, heun, lcm, rk45 } from '@langevin/samplers';
import { samplerChecks } from '@langevin/samplers/testing';
import { expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

async function failures(sampler: Sampler, options: Parameters<typeof samplerChecks>[1] = {}): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of samplerChecks(sampler, options)) {
    await run().catch(() => failed.push(name));
  }
  return failed;
}

const like = (sampler: Sampler, changes: Partial<SamplerDefinition>): Sampler => defineSampler({ ...sampler, ...changes });

test('an order too high is found', async () => {
  expect(await failures(like(euler(), { order: 2 }))).toEqual([
    'has its declared order on Gaussian data',
    'has its declared order on a mixture',
  ]);
});

test('and a claim of an order or higher still fails below it', async () => {
  const orHigher = { accuracy: { kind: 'order', orHigher: true } } as const;
  expect(await failures(like(euler(), { order: 2 }), orHigher)).toEqual([
    'has its declared order on Gaussian data',
    'has its declared order on a mixture',
  ]);
  expect(await failures(like(ddpm(), { order: 2 }), orHigher)).toEqual(['has its declared weak order on Gaussian data']);
  expect(await failures(like(heun(), { order: 1 }), { ...orHigher, nfe: (steps) => 2 * steps - 1 })).toEqual([]);
});

test('a step that is only nearly right has no order', async () => {
  const wrong = like(euler(), {
    step: async (input) => {
      const { x, denoised } = await euler().step(input);
      return { x: input.algebra.linear([1.001, x]), denoised };
    },
  });
  expect(await failures(wrong)).toEqual(
    expect.arrayContaining(['has its declared order on Gaussian data', 'reaches data that are one point, in any number of steps']),
  );
});

test('too little noise is found', async () => {
  const timid = like(ddpm(), {
    step: (input) => ddpm().step({ ...input, noise: async () => input.algebra.linear([0.9, await input.noise()]) }),
  });
  expect(await failures(timid)).toEqual(['has its declared weak order on Gaussian data']);
});

test('noise that is declared and not drawn, or drawn and not declared, is found', async () => {
  expect(await failures(like(ddim(), { stochastic: true }))).toContain('depends on the seed if it is stochastic, and on nothing else');
  expect(await failures(like(ddim({ eta: 1 }), { stochastic: false }))).toContain('makes the evaluations it should');
});

test('hidden memory is found', async () => {
  let steps = 0;
  const hiding = like(euler(), {
    step: async (input) => {
      const { x, denoised } = await euler().step(input);
      return { x: input.to.sigma > 0 && steps++ % 7 === 3 ? input.algebra.linear([1.0001, x]) : x, denoised };
    },
  });
  expect(await failures(hiding)).toContain('goes on from any step as if never stopped');
});

test('an extra evaluation is found', async () => {
  const wasteful = like(euler(), { step: async (input) => (await input.denoise(input.x, input.from), euler().step(input)) });
  expect(await failures(wasteful)).toEqual(['makes the evaluations it should']);
});

test('writing to what was given is found', async () => {
  const careless = like(euler(), {
    step: async (input) => {
      const output = await euler().step(input);
      (input.x as unknown as Float64Array).fill(0);
      return output;
    },
  });
  expect(await failures(careless)).toContain('changes nothing that it is given');
});

test('a sampler tied to one kind of units is found', async () => {
  const tied = like(euler(), {
    step: async ({ x, from, to, denoise, algebra }) => {
      const denoised = await denoise(x, from);
      const r = to.sigma / from.sigma;
      return { x: algebra.linear([r, x], [1 - r, denoised]), denoised };
    },
  });
  expect(await failures(tied)).toEqual(expect.arrayContaining(['does not depend on the units of the state']));
});

test('a few-step sampler that noises to another level is found', async () => {
  const short = like(lcm(), {
    step: (input) => lcm().step({ ...input, noise: async () => input.algebra.linear([0.99, await input.noise()]) }),
  });
  expect(await failures(short, { accuracy: { kind: 'consistency', data: 'point' } })).toEqual([
    'ends every step at the exact marginal, given the consistency function',
  ]);
});

test('a few-step sampler that forgets what its network leaves in is found', async () => {
  expect(await failures(consistency({ sigmaMin: 0 }), { accuracy: { kind: 'consistency', data: 'gaussian', sigmaMin: 0.002 } })).toEqual([
    'ends every step at the exact marginal, given the consistency function',
  ]);
});

test('a tolerance that is not kept is found', async () => {
  for (const sampler of [() => rk45(), (tolerance: number) => rk45({ rtol: tolerance ** 0.5, atol: tolerance ** 0.5 })]) {
    expect(await failures(rk45(), { nfe: 'any', accuracy: { kind: 'tolerance', sampler } })).toEqual([
      'has an error in proportion to its tolerance',
    ]);
  }
});

test('a spread that is wrong is found from samples', async () => {
  const wide = like(gottaGoFast(), {
    step: (input) => gottaGoFast().step({ ...input, noise: async () => input.algebra.linear([1.2, await input.noise()]) }),
  });
  expect(await failures(wide, { nfe: 'any', accuracy: { kind: 'sampled', bias: 0.01 } })).toEqual(['has the moments of Gaussian data']);
});

test('memory of a call that failed is found', async () => {
  // As a scheduler object would: it counts a step before it knows that the step was taken.
  let begun = 0;
  const eager = like(euler(), {
    step: async (input) => {
      if (input.index === 0) begun = 0;
      begun++;
      const output = await euler().step(input);
      return begun === input.index + 1 ? output : { ...output, x: input.algebra.linear([1.01, output.x]) };
    },
  });
  expect(await failures(eager)).toEqual(
    expect.arrayContaining(['is not changed by a call that fails', 'serves several runs with one source of noise']),
  );
});

test('a fault of the noise that is swallowed is found', async () => {
  const ignoring = like(ddim({ eta: 1 }), {
    step: async (input) => ddim({ eta: 1 }).step({ ...input, noise: () => input.noise().catch(() => input.algebra.linear([0, input.x])) }),
  });
  expect(await failures(ignoring)).toContain('refuses noise that is none, in the first step and in the last');
});

test('levels of its own that rise are found, and options that are taken as they come', async () => {
  const rising = (steps: number) => Array.from({ length: steps + 1 }, (_, i) => sigmaLevel(i === steps ? 0 : 10 / (1 + (i % 3))));
  expect(await failures(euler(), { levels: rising })).toEqual(['runs over levels of its own, which fall, in any number of steps']);
  expect(await failures(euler(), { make: (options?: { sChurn?: number }) => euler({ ...options }) })).toEqual([
    'is not made from options that are none',
  ]);
  expect(await failures(euler(), { make: euler })).toEqual([]);
});

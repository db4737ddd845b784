import {
  autoencoderKl,
  codes,
  defineReconstructionLoss,
  defineRegulariser,
  emaCodes,
  kl,
  l1,
  none,
  perceptual,
  reconstructionLosses,
  regularisers,
  vqModel,
} from '@langevin/latent-ae';
import { checkReconstructionLoss, checkRegulariser } from '@langevin/latent-ae/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { avgPool, mean, mul, numbers, setDefaultEngine, sign, stopGradient, sub, sum, tensor, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const vae = autoencoderKl({ blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, midBlockAddAttention: false });
const vq = vqModel({ blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, numVqEmbeddings: 8, midBlockAddAttention: false });

describe('regularisers', () => {
  const fitting = {
    none: [none(), vae],
    kl: [kl({ weight: 0.5, warmUp: 10 }), vae],
    codes: [codes(), vq],
    'ema-codes': [emaCodes(), vq],
  } as const;
  it.each(Object.keys(fitting) as (keyof typeof fitting)[])('%s keeps what every regulariser has to keep', async (name) => {
    expect(regularisers.names).toContain(name);
    const [regulariser, autoencoder] = fitting[name];
    await checkRegulariser(regulariser, { autoencoder: autoencoder as typeof vae });
  });

  it.each([
    ['gives latents of another shape', { latent: zeros([1]), penalty: zeros([2]), parts: {} }, /gives latents of/],
    ['gives one penalty for all', { penalty: zeros([]), parts: {} }, /gives a penalty of \[\]/],
    ['gives a penalty below 0', { penalty: tensor([-1, 0]), parts: {} }, /no number at least 0/],
    ['logs a list', { penalty: zeros([2]), parts: { list: zeros([2]) } }, /logs list/],
    ['loses a buffer', { penalty: zeros([2]), parts: {}, buffers: { other: zeros([1]) } }, /names or shapes of its buffers/],
  ])('the kit sees one that %s', async (_, made, message) => {
    const broken = defineRegulariser({
      name: 'broken',
      summary: '',
      source: '',
      apply: ({ posterior: { mode } }) => ({ latent: mode, ...made }),
    });
    await expect(checkRegulariser(broken, { autoencoder: vae })).rejects.toThrow(message);
  });

  it('the kit sees one that lets no gradient through', async () => {
    const broken = defineRegulariser({
      name: 'broken',
      summary: '',
      source: '',
      apply: ({ posterior: { mode } }) => ({ latent: stopGradient(mode), penalty: zeros([2]), parts: {} }),
    });
    await expect(checkRegulariser(broken, { autoencoder: vae })).rejects.toThrow(/no gradient through/);
  });
});

describe('losses', () => {
  const pooled = (x: Tensor): readonly Tensor[] => [x, avgPool(x, { kernel: 2, stride: 2 })];
  const losses = {
    ...{ l1: l1(), l2: reconstructionLosses.create('l2'), bernoulli: reconstructionLosses.create('bernoulli') },
    perceptual: perceptual({ features: pooled, network: 'means' }),
  };
  it.each(Object.keys(losses) as (keyof typeof losses)[])('%s keeps what every loss has to keep', async (name) => {
    await checkReconstructionLoss(losses[name], name === 'bernoulli' ? { target: sign } : {});
  });

  it.each([
    [
      'sees the whole batch',
      ({ target, reconstruction }: { target: Tensor; reconstruction: Tensor }) => {
        const all = mean(sub(target, reconstruction));
        return mul(sum(sub(target, reconstruction), { axes: [1, 2, 3] }), all);
      },
      /depends on the others/,
    ],
    ['has no gradient', ({ target }: { target: Tensor }) => sum(target, { axes: [1, 2, 3] }), /has no gradient/],
    [
      'is one number',
      ({ target, reconstruction }: { target: Tensor; reconstruction: Tensor }) => mean(sub(target, reconstruction)),
      /gives \[\] for 3/,
    ],
  ] as const)('the kit sees one that %s', async (_, apply, message) => {
    const broken = defineReconstructionLoss({ name: 'broken', summary: '', source: '', apply: apply as never });
    await expect(checkReconstructionLoss(broken)).rejects.toThrow(message);
  });

  it('perceptual is 0 for equal pictures, symmetric, and does not see how bright features are', async () => {
    const loss = perceptual({ features: (x) => [x], network: 'itself' });
    const [a, b] = [tensor([[[[1, 2]], [[3, 4]]]]), tensor([[[[2, 0]], [[1, 5]]]])];
    const of = async (target: Tensor, reconstruction: Tensor) => (await numbers(loss.apply({ target, reconstruction })))[0]!;
    expect(await of(a, a)).toBe(0);
    expect(await of(a, b)).toBeCloseTo(await of(b, a), 6);
    expect(await of(a, mul(a, 3))).toBeLessThan(1e-6);
    expect(await of(a, b)).toBeGreaterThan(0.1);
  });
});

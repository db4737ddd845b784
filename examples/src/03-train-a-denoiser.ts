// Train a small network to denoise points of a ring, then sample new points with it.
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  denoisingLoss,
  drawLevels,
  edmPreconditioning,
  edmWeight,
  karrasSigmas,
  logNormalSigmas,
  precondition,
  tensorAlgebra,
  trainingCoefficients,
  type TrainingCoefficients,
} from '@langevin/core-schedules';
import { adam, linear, perItem, sinusoidalEmbedding } from '@langevin/nn';
import { heun, imageNoise, sample, sigmaLevels, startState } from '@langevin/samplers';
import {
  compile,
  concat,
  float32Data,
  item,
  mul,
  setDefaultEngine,
  silu,
  tensor,
  torchGenerator,
  valueAndGrad,
  zeros,
  type Tensor,
} from '@langevin/tensor';

setDefaultEngine(await onnxruntimeEngine());

const BATCH = 256;
const STEPS = 1200;
const random = torchGenerator(0);
const ring = (count: number): Float32Array => {
  const angles = random.uniform(count);
  return Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? Math.cos : Math.sin)(2 * Math.PI * angles[i >> 1]!));
};

// The network: two numbers and the noise level in, two numbers out. Parameters are a plain object.
const layers = {
  first: linear({ inputs: 2 + 16, outputs: 64 }),
  middle: linear({ inputs: 64, outputs: 64 }),
  last: linear({ inputs: 64, outputs: 2 }),
};
const init = { first: layers.first.init(random), middle: layers.middle.init(random), last: layers.last.init(random) };
const network = (params: typeof init, x: Tensor, cNoise: Tensor): Tensor => {
  const noise = sinusoidalEmbedding(mul(perItem(cNoise, x.shape[0]!, 'cNoise'), 10), { size: 16 });
  const h = silu(layers.first.apply(params.first, concat([x, noise], 1)));
  return layers.last.apply(params.last, silu(layers.middle.apply(params.middle, h)));
};

// One compiled step: loss, gradient, Adam. The state is donated, so its memory is reused.
const preconditioning = edmPreconditioning({ sigmaData: Math.SQRT1_2 });
const optimizer = adam();
const step = compile(
  (
    state: { params: typeof init; moments: ReturnType<typeof optimizer.init> },
    { x0, noise }: { x0: Tensor; noise: Tensor },
    coefficients: TrainingCoefficients,
  ) => {
    const { value, grad } = valueAndGrad(
      (params: typeof init) => denoisingLoss({ network: (x, c) => network(params, x, c), x0, noise, coefficients }).loss,
    )(state.params);
    const { params, state: moments } = optimizer.update(grad, state.moments, { params: state.params, learningRate: 5e-3 });
    return { state: { params, moments }, loss: value };
  },
  { donate: [0] },
);

let state = { params: init, moments: optimizer.init(init) };
for (let i = 1; i <= STEPS; i++) {
  const levels = drawLevels(logNormalSigmas({ mean: -0.8, std: 1.4 }), { generator: random, count: BATCH, spread: 'stratified' });
  const coefficients = trainingCoefficients({ levels, preconditioning, weight: edmWeight({ sigmaData: Math.SQRT1_2 }) });
  const x0 = tensor(ring(BATCH), { shape: [BATCH, 2] });
  const noise = tensor(random.normal(2 * BATCH), { shape: [BATCH, 2] });
  const result = await step(state, { x0, noise }, coefficients);
  state = result.state;
  if (i % 300 === 0) console.log(`step ${i}, loss ${(await item(result.loss)).toFixed(3)}`);
}

// Sampling: weights become constants of a second graph, which serves every step of the sampler.
const forward = compile(network, { freeze: [0] });
const algebra = tensorAlgebra();
const denoise = precondition<Tensor>({ network: (x, cNoise) => forward(state.params, x, cNoise), preconditioning, algebra });
const levels = sigmaLevels(karrasSigmas({ steps: 12 }));
const x = await startState({ algebra, noise: imageNoise({ seed: 3 }), at: levels[0]!, like: zeros([500, 2]) });
const points = await float32Data(await sample<Tensor>({ sampler: heun(), denoise, x, levels, algebra }));
const radii = Array.from({ length: 500 }, (_, i) => Math.hypot(points[2 * i]!, points[2 * i + 1]!));
console.log(
  `500 samples: mean distance from the centre ${(radii.reduce((a, b) => a + b) / 500).toFixed(2)}, share within 0.2 of the ring `
    + `${(radii.filter((r) => Math.abs(r - 1) < 0.2).length / 500).toFixed(2)}`,
);

import {
  bitsPerDimension,
  dequantise,
  drawProbes,
  hutchinsonTrace,
  logLikelihood,
  networkDerivative,
  tensorAlgebra,
} from '@langevin/core-schedules';
import { toPlanar } from '@langevin/io';
import { inFloat32 } from '@langevin/nn';
import { labelCount, pictureForm, type DiffusionModel } from '@langevin/pipelines';
import { counterGenerator, tensor, torchGenerator, type Engine } from '@langevin/tensor';
import type { Pictures } from './pictures.ts';
import { meanOf, type Mean } from './scores.ts';

/** Bits that a model needs for a pixel, and how it was found. */
export interface Bits {
  /** Mean over the pictures, with its standard error. */
  readonly bits: Mean;
  readonly pictures: number;
  /** Evaluations of the network with its derivative, for each picture. */
  readonly evaluations: number;
}

/**
 * Bits per dimension along the probability-flow ODE (Song et al. 2021, arXiv:2011.13456), of held-out pictures of 8 bits with uniform noise
 * in their bins, told their classes; divergences are estimated with one Rademacher probe each.
 */
export async function bitsOf(
  { network, params, noise }: DiffusionModel,
  { pictures, engine }: { readonly pictures: Pictures; readonly engine: Engine },
): Promise<Bits> {
  const { images, labels } = pictures;
  const generator = torchGenerator(0);
  const values = images.map((image) => dequantise(toPlanar(image), generator));
  const form = pictureForm(network);
  const shape = [images.length, form.channels, form.height, form.width];
  const dimensions = shape.slice(1).reduce((product, side) => product * side, 1);
  const data = new Float32Array(images.length * dimensions);
  values.forEach((picture, i) => data.set(picture, i * dimensions));
  const algebra = tensorAlgebra({ engine });
  const like = tensor(data, { shape });
  const label = tensor(labels, { dtype: 'int32', shape: [images.length] });
  const derivative = networkDerivative({
    network: (x, cNoise) => network.apply(inFloat32(params), x, cNoise, labelCount(network) === undefined ? {} : { conditions: { label } }),
    preconditioning: noise.preconditioning,
    engine,
  });
  const { process } = noise;
  const from = process.level(Math.max(1e-3, process.span.min));
  const x = algebra.linear([from.alpha, like]);
  const probes = drawProbes({ algebra, like, generator: counterGenerator({ seed: 2, stream: [0] }) });
  const { logDensity, evaluations } = await logLikelihood({
    algebra,
    denoise: hutchinsonTrace({ algebra, derivative, probes }),
    x,
    from,
    to: process.level(process.span.max),
    rtol: 1e-3,
    atol: 1e-3,
  });
  // A state is alpha times as large as the picture: its density is that of the picture over alpha^dimensions.
  const own = logDensity.map((value) => value + dimensions * Math.log(from.alpha));
  return { bits: meanOf(own.map((value) => bitsPerDimension(value, { dimensions }))), pictures: images.length, evaluations };
}

import { full, sizeOf, tensor, UserError, zeros, type Generator, type Shape, type Tensor } from '@langevin/tensor';
import { shapesOnly } from './shapes-only.ts';

/** How a parameter starts: a float32 tensor of a shape. */
export type Initializer = (generator: Generator, shape: Shape) => Tensor;

function drawnWith(draw: (generator: Generator, count: number, shape: Shape) => Float32Array<ArrayBuffer>): Initializer {
  return (generator, shape) => (generator === shapesOnly ? zeros(shape) : tensor(draw(generator, sizeOf(shape), shape), { shape }));
}

/** Every element equal to `value`; draws nothing. */
export const constant =
  (value: number): Initializer =>
  (_, shape) =>
    full(shape, value);

/** Uniform in [low, high): `torch.nn.init.uniform_`, number for number. */
export function uniform(low: number, high: number): Initializer {
  return drawnWith((generator, count) => {
    const data = generator.uniform(count);
    const range = Math.fround(Math.fround(high) - Math.fround(low));
    for (let i = 0; i < count; i++) data[i] = Math.fround(data[i]! * range) + Math.fround(low);
    return data;
  });
}

/** Normal with the given mean and deviation: `torch.nn.init.normal_`. @param options @default mean 0, deviation 1 */
export function normal(options: { readonly mean?: number; readonly deviation?: number } = {}): Initializer {
  const { mean = 0, deviation = 1 } = options;
  return drawnWith((generator, count) => {
    const data = generator.normal(count);
    if (mean !== 0 || deviation !== 1) for (let i = 0; i < count; i++) data[i] = data[i]! * deviation + mean;
    return data;
  });
}

/**
 * Inputs and outputs of one unit of a weight [out, in, ...kernel].
 *
 * @throws UserError for fewer than two axes
 */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new UserError(
      `[nn/init] weight has no fan: shape=[${shape.join(', ')}]. It needs the axes [out, in, ...kernel]; use uniform() or normal().`,
    );
  }
  const field = sizeOf(kernel);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

/**
 * Uniform in [-b, b), b = sqrt(6 / ((1 + a^2) fanIn)): He et al. 2015, eq. 15. With PyTorch's a = sqrt(5) for linear and
 * convolution weights, b = 1 / sqrt(fanIn).
 *
 * @param options `a`: slope of the leaky ReLU that follows. @default sqrt(5)
 */
export function kaimingUniform(options: { readonly a?: number } = {}): Initializer {
  const { a = Math.sqrt(5) } = options;
  return (generator, shape) => {
    const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fans(shape).fanIn));
    return uniform(-bound, bound)(generator, shape);
  };
}

/** Normal with deviation sqrt(2 / ((1 + a^2) fanIn)): He et al. 2015. @param options `a` @default 0, for ReLU */
export function kaimingNormal(options: { readonly a?: number } = {}): Initializer {
  const { a = 0 } = options;
  return (generator, shape) => normal({ deviation: Math.sqrt(2 / (1 + a * a) / fans(shape).fanIn) })(generator, shape);
}

/** Uniform in [-b, b), b = gain sqrt(6 / (fanIn + fanOut)): Glorot and Bengio 2010, eq. 16. @param gain @default 1 */
export function xavierUniform(gain = 1): Initializer {
  return (generator, shape) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return uniform(-bound, bound)(generator, shape);
  };
}

/** Normal with deviation gain sqrt(2 / (fanIn + fanOut)): Glorot and Bengio 2010. @param gain @default 1 */
export function xavierNormal(gain = 1): Initializer {
  return (generator, shape) => {
    const { fanIn, fanOut } = fans(shape);
    return normal({ deviation: gain * Math.sqrt(2 / (fanIn + fanOut)) })(generator, shape);
  };
}

/** PyTorch's bias of a layer with `fanIn` inputs: uniform in [-b, b), b = 1 / sqrt(fanIn). */
export function fanInUniform(fanIn: number): Initializer {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  return uniform(-bound, bound);
}

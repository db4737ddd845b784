import { activation, constant, linear, sequential, type Layer } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import type { NamedArrays } from './deformation.ts';

/**
 * Linear layers with ReLUs between them, the last of which starts as zero. Its parameters are a list, with entries without any at the
 * ReLUs.
 */
export function denseNet(sizes: readonly number[]): Layer<unknown> {
  const last = sizes.length - 2;
  const layers = sizes.slice(1).flatMap((outputs, i) => {
    const config = { inputs: sizes[i]!, outputs };
    return i === last ? [linear({ ...config, weightInit: constant(0), biasInit: constant(0) })] : [linear(config), activation('relu')];
  });
  return sequential(...(layers as readonly Layer<unknown>[])) as Layer<unknown>;
}

/** The elements of a weight, in the shape that is expected. */
export function weight(weights: NamedArrays, name: string, shape: readonly number[]): Float32Array {
  const found = weights[name];
  if (
    !found
    || found.shape.length !== shape.length
    || found.shape.some((n, i) => n !== shape[i])
    || found.data.length !== shape.reduce((a, b) => a * b, 1)
  ) {
    throw new UserError(
      `[gaussians/dynamic] weight does not fit: ${name}=${found ? `[${found.shape.join(', ')}]` : 'missing'}, expected `
        + `[${shape.join(', ')}]. Check that the configuration belongs to these weights.`,
    );
  }
  return found.data;
}

/** {@link denseNet} for one row, in plain numbers. The array it gives is its own and is written anew by the next call. */
export function densePlayer(weights: NamedArrays, prefix: string, sizes: readonly number[]): (x: Float32Array) => Float32Array {
  const layers = sizes.slice(1).map((outputs, i) => ({
    weight: weight(weights, `${prefix}.${2 * i}.weight`, [outputs, sizes[i]!]),
    bias: weight(weights, `${prefix}.${2 * i}.bias`, [outputs]),
    out: new Float32Array(outputs),
  }));
  return (x) =>
    layers.reduce((input, { weight: w, bias, out }, i) => {
      const inputs = input.length;
      for (let row = 0; row < out.length; row++) {
        let sum = bias[row]!;
        for (let column = 0, at = row * inputs; column < inputs; column++, at++) sum += w[at]! * input[column]!;
        out[row] = i < layers.length - 1 ? Math.max(0, sum) : sum;
      }
      return out;
    }, x);
}

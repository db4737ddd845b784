import { embedding, scoped, uniform, type EmbeddingParams } from '@langevin/nn';
import {
  add,
  argMax,
  checkChoice,
  checkNumber,
  mean,
  mul,
  readOptions,
  reshape,
  square,
  stopGradient,
  sub,
  sum,
  matmul,
  transpose,
  UserError,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import type { Quantized } from '../coded-autoencoder.ts';

export interface CodebookParams {
  readonly embedding: EmbeddingParams;
}

export interface QuantizeOptions {
  /** How much the latent is held to its code, relative to the code to the latent. @default 0.25, van den Oord et al. 2017 */
  readonly beta?: number;
  /**
   * What `beta` is on: `'corrected'` on the latent, as the paper has it; `'legacy'` on the code, a fault of the first programs that
   * diffusers' default keeps. @default 'corrected'
   */
  readonly placement?: 'corrected' | 'legacy';
}

/** A book of codes. */
export interface Codebook {
  readonly init: (generator: Generator) => CodebookParams;
  /** The nearest code of each pixel of [N, size, h, w]. */
  readonly quantize: (params: CodebookParams, latent: Tensor, options?: QuantizeOptions) => Quantized;
  /** The codes of indices (int32 [N, h, w]): [N, size, h, w]. */
  readonly look: (params: CodebookParams, indices: Tensor) => Tensor;
}

/** Vector quantisation: diffusers' `VectorQuantizer`. A fresh book is uniform within 1 / count. */
export function codebook({ count, size }: { readonly count: number; readonly size: number }): Codebook {
  const table = scoped('embedding', embedding({ count, size, weightInit: uniform(-1 / count, 1 / count) }));
  const look = (params: CodebookParams, indices: Tensor): Tensor => transpose(table.apply(params.embedding, indices), [0, 3, 1, 2]);
  return Object.freeze({
    init: (generator: Generator): CodebookParams => ({ embedding: table.init(generator) }),
    look,
    quantize(params: CodebookParams, latent: Tensor, options: QuantizeOptions = {}) {
      const { beta = 0.25, placement = 'corrected' } = readOptions('latent-ae/codebook', options, ['beta', 'placement']);
      checkNumber('latent-ae/codebook', { beta }, { atLeast: 0, atMost: 1e6 });
      checkChoice('latent-ae/codebook', { placement }, ['corrected', 'legacy']);
      if (latent.rank !== 4 || latent.shape[1] !== size)
        throw new UserError(
          `[latent-ae/codebook] latents do not fit: z=[${latent.shape.join(', ')}], size=${size}. Give [N, ${size}, h, w].`,
        );
      const indices = nearest(stopGradient(latent), stopGradient(params.embedding.weight));
      const code = look(params, indices);
      const ofLatent = mean(square(sub(stopGradient(code), latent)));
      const ofCode = mean(square(sub(code, stopGradient(latent))));
      const loss = placement === 'corrected' ? add(mul(ofLatent, beta), ofCode) : add(ofLatent, mul(ofCode, beta));
      return { latent: add(latent, stopGradient(sub(code, latent))), indices, loss };
    },
  });
}

/** Of |z - e|^2 only |e|^2 - 2 z e depends on the code. int32 [N, h, w]. */
function nearest(latent: Tensor, weight: Tensor): Tensor {
  const [n, size, h, w] = latent.shape as readonly [number, number, number, number];
  const rows = reshape(transpose(latent, [0, 2, 3, 1]), [n * h * w, size]);
  const closeness = sub(mul(matmul(rows, weight, { transposeB: true }), 2), sum(square(weight), { axes: [1] }));
  return reshape(argMax(closeness, 1), [n, h, w]);
}

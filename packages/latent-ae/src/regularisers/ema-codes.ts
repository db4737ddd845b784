import {
  add,
  broadcastTo,
  checkNumber,
  div,
  expandDims,
  gather,
  less,
  matmul,
  mean,
  mul,
  oneHot,
  ones,
  readOptions,
  reshape,
  square,
  stopGradient,
  sub,
  sum,
  tensor,
  transpose,
  where,
  type Tensor,
} from '@langevin/tensor';
import { isCoded, type CodedAutoencoder } from '../coded-autoencoder.ts';
import { perplexity } from '../code-statistics.ts';
import { defineRegulariser, type Regulariser } from '../regulariser.ts';

export interface EmaCodesOptions {
  /** Share of the old average that stays at each step. @default 0.99, van den Oord et al. 2017 */
  readonly decay?: number;
  /** How much the latent is held to its code. @default 0.25 */
  readonly beta?: number;
  /**
   * A code that is used less than this share of even use becomes a latent of the batch, drawn at random. 0 never revives.
   *
   * @default 0.03
   */
  readonly reviveBelow?: number;
}

/** Keeps a code that was never used from dividing by zero: the Laplace smoothing of the paper's authors. */
const SMOOTHING = 1e-5;

/**
 * Latents are codes of a book that follows them: each code is the moving average of the latents that chose it, and no gradient moves it
 * (van den Oord et al. 2017, arXiv:1711.00937, appendix A.1). Codes that nobody chooses come back as latents of the batch (Dhariwal et al.
 * 2020, arXiv:2005.00341, sec. 3.1).
 *
 * @throws UserError for an option out of range
 * @example emaCodes({ decay: 0.95 }).name; // => 'ema-codes'
 */
export function emaCodes(options: EmaCodesOptions = {}): Regulariser {
  const at = 'latent-ae/ema-codes';
  const { decay = 0.99, beta = 0.25, reviveBelow = 0.03 } = readOptions(at, options, ['decay', 'beta', 'reviveBelow']);
  checkNumber(at, { decay }, { atLeast: 0, below: 1 });
  checkNumber(at, { beta }, { atLeast: 0, atMost: 1e6 });
  checkNumber(at, { reviveBelow }, { atLeast: 0, atMost: 1 });
  const misfit: Regulariser['misfit'] = (autoencoder) => {
    if (!isCoded(autoencoder)) return 'it has no codes';
    return autoencoder.book === undefined ? 'its codes are no book that could follow latents' : undefined;
  };
  return defineRegulariser({
    name: 'ema-codes',
    summary: 'The decoder is given the nearest code of a book of moving averages of latents.',
    source: 'van den Oord et al. 2017, arXiv:1711.00937, appendix A.1',
    misfit,
    buffers: (autoencoder, params) => {
      const book = bookOf(autoencoder).of(params);
      return { counts: ones([book.shape[0]!]), sums: book };
    },
    inputs({ autoencoder, latentShape: [n = 1, , ...places], random }) {
      const count = places.reduce((size, side) => size * side, n);
      const { codes } = autoencoder as CodedAutoencoder<unknown>;
      // Which latent of the batch each code would become.
      const drawn = random('revival').uniform(codes);
      return {
        heirs: tensor(
          Int32Array.from(drawn, (u) => Math.min(count - 1, Math.floor(u * count))),
          { shape: [codes], dtype: 'int32' },
        ),
      };
    },
    apply({ autoencoder, params, posterior: { mode }, buffers, inputs, elements }) {
      const coded = autoencoder as CodedAutoencoder<unknown>;
      const { latent, indices } = coded.quantize(params, mode);
      const rows = stopGradient(rowsOf(mode));
      const chosen = oneHot(reshape(indices, [indices.size]), coded.codes);
      const counts = average(buffers['counts']!, sum(chosen, { axes: [0] }), decay);
      const sums = average(buffers['sums']!, matmul(chosen, rows, { transposeA: true }), decay);
      const commitment = mean(square(sub(mode, stopGradient(latent))));
      return {
        latent,
        penalty: broadcastTo(mul(commitment, beta * elements), [mode.shape[0]!]),
        parts: { quantisation: commitment, perplexity: perplexity(indices, coded.codes) },
        buffers:
          reviveBelow === 0
            ? { counts, sums }
            : revived(
                { counts, sums },
                { heirs: gather(rows, inputs['heirs'] as Tensor), below: (reviveBelow * indices.size) / coded.codes },
              ),
      };
    },
    afterUpdate({ autoencoder, params, buffers: { counts, sums } }) {
      const total = sum(counts!);
      const smoothed = mul(div(add(counts!, SMOOTHING), add(total, counts!.size * SMOOTHING)), total);
      return bookOf(autoencoder).with(params, div(sums!, expandDims(smoothed, 1)));
    },
  });
}

function bookOf(autoencoder: Parameters<NonNullable<Regulariser['buffers']>>[0]): NonNullable<CodedAutoencoder<unknown>['book']> {
  return (autoencoder as CodedAutoencoder<unknown>).book!;
}

const average = (old: Tensor, fresh: Tensor, decay: number): Tensor => add(mul(old, decay), mul(fresh, 1 - decay));

/** Latents [N, channels, ...] as rows [N * ..., channels]. */
function rowsOf(z: Tensor): Tensor {
  const [n = 1, channels = 1, ...places] = z.shape;
  const count = places.reduce((size, side) => size * side, n);
  return reshape(transpose(z, [0, ...places.map((_, i) => i + 2), 1]), [count, channels]);
}

interface Book {
  /** [codes] */
  readonly counts: Tensor;
  /** [codes, channels] */
  readonly sums: Tensor;
}

/** Codes whose count is below a bound begin again, as latents that are as often used as the bound. */
function revived(
  { counts, sums }: Book,
  { heirs, below }: { readonly heirs: Tensor; readonly below: number },
): Readonly<Record<keyof Book, Tensor>> {
  const dead = less(counts, below);
  return {
    counts: where({ if: dead, then: below, else: counts }),
    sums: where({ if: expandDims(dead, 1), then: mul(heirs, below), else: sums }),
  };
}

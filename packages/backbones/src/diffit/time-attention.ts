import {
  add,
  attention,
  expandDims,
  gather,
  matmul,
  mul,
  reshape,
  softmax,
  tensor,
  transpose,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { defineModule, linear, listener, normal, scoped, type LinearParams, type Module, type Taps } from '@langevin/nn';
import { fromHeads, headsOf } from '../vit/vit.ts';
import { fromWindows, toWindows, type Grid } from './windows.ts';

export interface TimeAttentionConfig {
  /** Features of the tokens. */
  readonly width: number;
  readonly heads: number;
  /** Features of the token of time. */
  readonly time: number;
  /** Side of the squares of tokens that see each other. */
  readonly window: number;
}

export interface TimeAttentionParams {
  /** Of a token to its query, key and value. */
  readonly qkv: LinearParams;
  /** Of the time to what is added to all queries, keys and values. */
  readonly qkv_time: LinearParams;
  /** [(2 window - 1)^2, heads]: what is added to a logit, by how far apart two tokens lie. */
  readonly relative_position_bias_table: Tensor;
  readonly proj: LinearParams;
}

export interface TimeAttentionInputs {
  /** [N, time] */
  readonly time: Tensor;
  /** How tokens lie. */
  readonly grid: Grid;
  /** Listens at `attn.weights` [N windows, heads, window^2, window^2]. */
  readonly taps?: Taps | undefined;
}

/**
 * Self-attention that depends on time (TMSA): q = x W_qs + t W_qt, keys and values likewise, and softmax(q k^T / sqrt(d) + B) v with a
 * learned bias B of relative positions, within windows. Hatamizadeh et al. 2023 (arXiv:2312.02139), eqs. 3 to 6.
 *
 * `apply(params, x [N, rows columns, width], { time, grid })` gives [N, rows columns, width].
 */
export function timeAttention(
  config: TimeAttentionConfig,
): Module<TimeAttentionParams, readonly [x: Tensor, inputs: TimeAttentionInputs], Tensor> {
  const { width, heads, window } = config;
  const own = scoped('qkv', linear({ inputs: width, outputs: 3 * width }));
  const timed = scoped('qkv_time', linear({ inputs: config.time, outputs: 3 * width, bias: 'none' }));
  const out = scoped('proj', linear({ inputs: width, outputs: width }));
  const table = normal({ deviation: 0.02 });
  const places = relativePlaces(window);
  const area = window * window;
  return defineModule({
    init: (generator: Generator): TimeAttentionParams => ({
      qkv: own.init(generator),
      qkv_time: timed.init(generator),
      relative_position_bias_table: table(generator, [(2 * window - 1) ** 2, heads]),
      proj: out.init(generator),
    }),
    apply(params: TimeAttentionParams, x: Tensor, { time, grid, taps }: TimeAttentionInputs) {
      const all = add(own.apply(params.qkv, x), expandDims(timed.apply(params.qkv_time, time), 1));
      const [q, k, v] = headsOf(toWindows(all, { grid, window }), heads);
      const biases = reshape(gather(params.relative_position_bias_table, places), [area, area, heads]);
      const mask = expandDims(transpose(biases, [2, 0, 1]), 0);
      const see = listener(taps, 'attn.weights');
      const weights = (): Tensor => softmax(add(matmul(mul(q, 1 / Math.sqrt(width / heads)), k, { transposeB: true }), mask));
      const gathered = fromHeads(see === undefined ? attention({ q, k, v, mask }) : matmul(see(weights()), v));
      return out.apply(params.proj, fromWindows(gathered, { grid, window }));
    },
  });
}

/** For each pair of tokens of a window, the row of the table of biases: int32 [window^4], row (2 w - 1) dy + dx from the smallest. */
function relativePlaces(window: number): Tensor {
  const area = window * window;
  const indices = new Int32Array(area * area);
  for (let query = 0; query < area; query += 1) {
    for (let key = 0; key < area; key += 1) {
      const down = Math.floor(query / window) - Math.floor(key / window) + window - 1;
      const right = (query % window) - (key % window) + window - 1;
      indices[query * area + key] = down * (2 * window - 1) + right;
    }
  }
  return tensor(indices, { shape: [area * area], dtype: 'int32' });
}

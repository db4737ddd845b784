import {
  activations,
  doubled,
  inFloat32,
  linear,
  type ActivationName,
  type ConvParams,
  type LinearParams,
  type NormParams,
  type PixelAttentionParams,
  type ResampleParams,
  type ResnetBlockParams,
} from '@langevin/nn';
import {
  add,
  attention,
  compile,
  conv,
  mean,
  mul,
  reshape,
  silu,
  slice,
  square,
  sub,
  sum,
  transpose,
  type Engine,
  type Tensor,
} from '@langevin/tensor';

/** Which ends of the picture a band of rows touches: there, and there only, a convolution sees zeros. */
export type Ends = 'top' | 'bottom' | 'both' | 'none';

/** A band of a feature map, [1, C, rows, W], and the moments of each group of its channels, [groups] each. */
export interface MeasuredRows {
  readonly rows: Tensor;
  readonly means: Tensor;
  readonly squares: Tensor;
}

/** Of each channel of the whole picture, [1, C, 1, 1] each. */
export interface NormTensors {
  readonly means: Tensor;
  readonly inverseDeviations: Tensor;
}

/** The parameters of the last layers of an encoder or decoder. */
export interface HeadParams {
  readonly conv_norm_out: NormParams;
  readonly conv_out: ConvParams;
}

export interface ProgramsConfig {
  readonly groups: number;
  readonly activation: ActivationName;
  readonly engine?: Engine | undefined;
}

const padding = (ends: Ends): readonly [number, number] => [
  ends === 'top' || ends === 'both' ? 1 : 0,
  ends === 'bottom' || ends === 'both' ? 1 : 0,
];

/** A 3x3 convolution that is padded at the sides, and above and below only where the picture ends. */
const convolved = (params: ConvParams, x: Tensor, ends: Ends): Tensor =>
  conv(x, params.weight, { padding: [padding(ends), [1, 1]], bias: params.bias });

const perChannel = (values: Tensor): Tensor => reshape(values, [1, values.size, 1, 1]);

/** Group norm with the statistics of the whole picture. */
const normed = ({ weight, bias }: NormParams, x: Tensor, { means, inverseDeviations }: NormTensors): Tensor =>
  add(mul(mul(sub(x, means), inverseDeviations), perChannel(weight!)), perChannel(bias!));

const projected = (params: LinearParams, x: Tensor): Tensor =>
  linear({ inputs: params.weight.shape[1]!, outputs: params.weight.shape[0]! }).apply(params, x);

/** [1, C, rows, W] to [1, 1, rows W, C]: one head. */
function tokensOf(x: Tensor): Tensor {
  const [, channels, height, width] = x.shape as readonly [number, number, number, number];
  return reshape(transpose(x, [0, 2, 3, 1]), [1, 1, height * width, channels]);
}

/** What is computed of one band, as compiled functions; each is compiled once for each shape, whatever layer it is of. */
export function bandPrograms({ groups, activation, engine }: ProgramsConfig) {
  const act = activations[activation];
  const options = (name: string) => ({ name: `${name} in bands`, ...(engine && { engine }) });

  const measure = (rows: Tensor): Omit<MeasuredRows, 'rows'> => {
    const grouped = reshape(rows, [groups, -1]);
    const means = mean(grouped, { axes: [1], dims: 'keep' });
    return { means: reshape(means, [groups]), squares: sum(square(sub(grouped, means)), { axes: [1] }) };
  };
  const measured = (rows: Tensor): MeasuredRows => ({ rows, ...measure(rows) });
  /** Of a residual block, up to its second norm. */
  const first = (
    { norm1, conv1 }: ResnetBlockParams,
    x: Tensor,
    { norm, ends }: { readonly norm: NormTensors; readonly ends: Ends },
  ): Tensor => convolved(conv1, act(normed(norm1, x, norm)), ends);

  return Object.freeze({
    begin: compile(
      (params: ConvParams, x: Tensor, ends: Ends): MeasuredRows => measured(convolved(inFloat32(params), x, ends)),
      options('first convolution'),
    ),
    /** Only the moments that the second norm of a residual block wants. */
    resnetMoments: compile(
      (params: ResnetBlockParams, x: Tensor, at: { readonly norm: NormTensors; readonly ends: Ends }) =>
        measure(first(inFloat32(params), x, at)),
      options('moments of a residual block'),
    ),
    /** `x` has two rows more than the result on each side where the picture goes on, `same` has its rows. */
    resnet: compile(
      (
        given: ResnetBlockParams,
        { x, same }: { readonly x: Tensor; readonly same: Tensor },
        at: { readonly norm1: NormTensors; readonly norm2: NormTensors; readonly ends1: Ends; readonly ends2: Ends },
      ): MeasuredRows => {
        const params = inFloat32(given);
        const h = first(params, x, { norm: at.norm1, ends: at.ends1 });
        const out = convolved(params.conv2, act(normed(params.norm2, h, at.norm2)), at.ends2);
        const { conv_shortcut: shortcut } = params;
        return measured(add(shortcut ? conv(same, shortcut.weight, { bias: shortcut.bias }) : same, out));
      },
      options('residual block'),
    ),
    keysAndValues: compile((given: PixelAttentionParams, x: Tensor, norm: NormTensors) => {
      const params = inFloat32(given);
      const tokens = tokensOf(normed(params.group_norm!, x, norm));
      return { k: projected(params.to_k, tokens), v: projected(params.to_v, tokens) };
    }, options('keys and values')),
    attend: compile(
      (
        given: PixelAttentionParams,
        x: Tensor,
        { norm, k, v }: { readonly norm: NormTensors; readonly k: Tensor; readonly v: Tensor },
      ): MeasuredRows => {
        const params = inFloat32(given);
        const [, channels, height, width] = x.shape as readonly [number, number, number, number];
        const q = projected(params.to_q, tokensOf(normed(params.group_norm!, x, norm)));
        const mixed = projected(params.to_out[0], reshape(attention({ q, k, v }), [1, height, width, channels]));
        return measured(add(transpose(mixed, [0, 3, 1, 2]), x));
      },
      options('attention'),
    ),
    /** `x` has a row more on each side where the picture goes on. */
    up: compile((params: ResampleParams, x: Tensor, ends: Ends): MeasuredRows => {
      const [above, below] = padding(ends);
      const large = doubled(x);
      const rows = slice(large, { 2: { start: 1 - above, stop: large.shape[2]! - (1 - below) } });
      return measured(convolved(inFloat32(params).conv, rows, ends));
    }, options('upsampling')),
    /** `ends` has a zero row below or none. */
    down: compile((given: ResampleParams, x: Tensor, ends: Ends): MeasuredRows => {
      const { conv: params } = inFloat32(given);
      return measured(conv(x, params.weight, { stride: 2, padding: [padding(ends), [0, 1]], bias: params.bias }));
    }, options('downsampling')),
    head: compile((given: HeadParams, x: Tensor, { norm, ends }: { readonly norm: NormTensors; readonly ends: Ends }): Tensor => {
      const params = inFloat32(given);
      return convolved(params.conv_out, silu(normed(params.conv_norm_out, x, norm)), ends);
    }, options('last convolution')),
  });
}

export type BandPrograms = ReturnType<typeof bandPrograms>;

import { checkNumber, shownValue } from '../check-number.ts';
import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { ConvParams } from '../graph/primitives.ts';
import { readOptions } from '../read-options.ts';
import { checkNumbers, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add } from './binary.ts';
import { shapeOf } from './operands.ts';
import { reshape } from './shaping.ts';

function check(op: string, [x, w]: readonly [ValueInfo, ValueInfo], params: ConvParams): void {
  const { strides, dilations, padding, groups } = params;
  const spatial = x.shape.length - 2;
  const problem = (what: string): UserError =>
    new UserError(
      `[tensor/${op}] ${what}: x=${showShape(x.shape)}, w=${showShape(w.shape)}, strides=[${strides.join(', ')}], `
        + `padding=${JSON.stringify(padding)}, groups=${groups}. x is [N, C, ...spatial], w is [O, C/groups, ...kernel].`,
    );
  if (x.dtype !== w.dtype || !isFloating(x.dtype))
    throw new UserError(`[tensor/${op}] dtypes do not fit: x=${x.dtype}, w=${w.dtype}. Both must be the same float; cast() one.`);
  if (spatial < 1 || spatial > 3 || w.shape.length !== x.shape.length) throw problem('ranks do not fit');
  if (strides.length !== spatial || dilations.length !== spatial || padding.length !== spatial)
    throw problem('geometry does not have one entry for each spatial axis');
  if (![...strides, ...dilations, groups].every((n) => Number.isInteger(n) && n >= 1))
    throw problem('stride, dilation or groups is not a positive integer');
  if (!padding.flat().every((n) => Number.isInteger(n) && n >= 0)) throw problem('padding is negative or not an integer');
}

/** Spatial sizes of a convolution's result. */
function convSizes(spatial: readonly number[], kernel: readonly number[], { strides, padding, dilations }: ConvParams): number[] {
  return spatial.map((n, i) => Math.floor((n + padding[i]![0] + padding[i]![1] - dilations[i]! * (kernel[i]! - 1) - 1) / strides[i]!) + 1);
}

export const convOp: OpDefinition<'conv'> = {
  op: 'conv',
  infer([x, w], params) {
    check('conv', [x!, w!], params);
    const [n, channels] = x!.shape as readonly [number, number];
    const [outputs, perGroup] = w!.shape as readonly [number, number];
    if (channels !== perGroup * params.groups || outputs % params.groups !== 0) {
      throw new UserError(
        `[tensor/conv] channels do not fit: x has ${channels}, w=${showShape(w!.shape)} with groups=${params.groups} wants `
          + `${perGroup * params.groups}. w is [O, C/groups, ...kernel].`,
      );
    }
    const sizes = convSizes(x!.shape.slice(2), w!.shape.slice(2), params);
    if (sizes.some((size) => size < 1))
      throw new UserError(
        `[tensor/conv] kernel is larger than the padded input: x=${showShape(x!.shape)}, w=${showShape(w!.shape)}. Pad more.`,
      );
    return [{ shape: [n, outputs, ...sizes], dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x, w], params, cotangents: [g] }) => [
    () => apply1(convInputGradOp, [g!, w!], { ...params, spatial: x!.shape.slice(2) }),
    () => apply1(convWeightGradOp, [x!, g!], { ...params, kernel: w!.shape.slice(2) }),
  ],
};

export const convInputGradOp: OpDefinition<'convInputGrad'> = {
  op: 'convInputGrad',
  infer([g, w], params) {
    check('convInputGrad', [g!, w!], params);
    const sizes = convSizes(params.spatial, w!.shape.slice(2), params);
    const fits =
      g!.shape[1] === w!.shape[0]
      && w!.shape[0]! % params.groups === 0
      && params.spatial.every((n) => n >= 1)
      && sizes.every((n, i) => n === g!.shape[i + 2]);
    if (!fits) {
      throw new UserError(
        `[tensor/convTranspose] sizes do not fit: x=${showShape(g!.shape)}, w=${showShape(w!.shape)}, `
          + `spatial=[${params.spatial.join(', ')}]. x must be [N, ${w!.shape[0]}, ${sizes.join(', ')}].`,
      );
    }
    return [{ shape: [g!.shape[0]!, w!.shape[1]! * params.groups, ...params.spatial], dtype: g!.dtype }];
  },
  vjp({ inputs: [g, w], params: { spatial: _, ...params }, cotangents: [u] }) {
    return [() => apply1(convOp, [u!, w!], params), () => apply1(convWeightGradOp, [u!, g!], { ...params, kernel: w!.shape.slice(2) })];
  },
};

export const convWeightGradOp: OpDefinition<'convWeightGrad'> = {
  op: 'convWeightGrad',
  infer([x, g], params) {
    check('convWeightGrad', [x!, g!], params);
    return [{ shape: [g!.shape[1]!, x!.shape[1]! / params.groups, ...params.kernel], dtype: x!.dtype }];
  },
  vjp({ inputs: [x, g], params: { kernel: _, ...params }, cotangents: [u] }) {
    return [() => apply1(convInputGradOp, [g!, u!], { ...params, spatial: x!.shape.slice(2) }), () => apply1(convOp, [x!, u!], params)];
  },
};

/** One number for all spatial axes, one for each, or `[before, after]` for each. */
export type Padding = number | readonly number[] | readonly (readonly [number, number])[];

export interface ConvOptions {
  /** @default 1 */
  readonly stride?: number | readonly number[];
  /** Zeros around each spatial axis. @default 0 */
  readonly padding?: Padding;
  /** Distance between kernel elements. @default 1 */
  readonly dilation?: number | readonly number[];
  /** Blocks of channels that do not mix; `C` for a depthwise convolution. @default 1 */
  readonly groups?: number;
  /** [O], added to every position. */
  readonly bias?: Tensor | undefined;
}

const CONV_OPTIONS = ['stride', 'padding', 'dilation', 'groups', 'bias'];

/** One number for each spatial axis, all equal where one is given. */
export const perAxis = (value: number | readonly number[], axes: number): readonly number[] =>
  typeof value === 'number' ? new Array<number>(axes).fill(value) : value;

/** How many axes of [N, C, ...spatial] are spatial. */
export function spatialRank(where: string, x: Tensor): number {
  return Math.max(shapeOf(where, x).length - 2, 0);
}

/** The `[before, after]` of each spatial axis. */
export function paddingPairs(where: string, padding: Padding, axes: number): readonly (readonly [number, number])[] {
  if (typeof padding === 'number') return new Array<readonly [number, number]>(axes).fill([padding, padding]);
  const isEntry = (entry: unknown): boolean =>
    typeof entry === 'number' || (Array.isArray(entry) && entry.length === 2 && entry.every((n) => typeof n === 'number'));
  if (!Array.isArray(padding) || !padding.every(isEntry)) {
    throw new UserError(
      `[${where}] padding is neither a number nor a list: padding=${shownValue(padding)}. Give one number, one for each spatial axis, or `
        + '[before, after] for each.',
    );
  }
  return (padding as readonly (number | readonly [number, number])[]).map((entry) =>
    typeof entry === 'number' ? ([entry, entry] as const) : entry,
  );
}

function paramsOf(where: string, x: Tensor, options: ConvOptions): ConvParams {
  const axes = spatialRank(where, x);
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  checkNumber(where, { groups }, { kind: 'integer', atLeast: 1 });
  const all = { strides: perAxis(stride, axes), dilations: perAxis(dilation, axes) };
  checkNumbers(where, all);
  return { ...all, padding: paddingPairs(where, padding, axes), groups };
}

function withBias(y: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return y;
  if (shapeOf('tensor/conv', bias).length !== 1 || bias.shape[0] !== y.shape[1]) {
    throw new UserError(
      `[tensor/conv] bias does not fit: bias=${showShape(bias.shape)}, result=${showShape(y.shape)}. bias is [${y.shape[1]}].`,
    );
  }
  return add(y, reshape(bias, [bias.shape[0]!, ...y.shape.slice(2).map(() => 1)]));
}

/**
 * Convolution (cross-correlation) over 1, 2 or 3 spatial axes, by the rank of `x`.
 *
 * @param x [N, C, ...spatial]
 * @param w [O, C/groups, ...kernel]
 * @returns [N, O, ...], sizes floor((n + padding - dilation (k - 1) - 1) / stride) + 1
 * @throws UserError when channels, ranks or geometry do not fit
 * @example
 * conv(ones([1, 3, 8, 8]), ones([4, 3, 3, 3]), { padding: 1 }).shape; // => [1, 4, 8, 8]
 */
export function conv(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  const given = readOptions('tensor/conv', options, CONV_OPTIONS);
  return withBias(apply1(convOp, [x, w], paramsOf('tensor/conv', x, given)), given.bias);
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Added to one end of each spatial size, to choose among inputs that a strided convolution maps to the same size. @default 0 */
  readonly outputPadding?: number | readonly number[];
}

/**
 * Transposed convolution: the adjoint of {@link conv}.
 *
 * @param x [N, C, ...spatial]
 * @param w [C, O/groups, ...kernel], PyTorch's layout
 * @returns [N, O, ...], sizes (n - 1) stride - padding + dilation (k - 1) + 1 + outputPadding
 */
export function convTranspose(x: Tensor, w: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const where = 'tensor/convTranspose';
  const given = readOptions(where, options, [...CONV_OPTIONS, 'outputPadding']);
  const params = paramsOf(where, x, given);
  const kernel = shapeOf(where, w).slice(2);
  const outputPadding = perAxis(given.outputPadding ?? 0, spatialRank(where, x));
  checkNumbers(where, { outputPadding });
  const spatial = x.shape.slice(2).map((n, i) => {
    const [before, after] = params.padding[i] ?? [0, 0];
    return (
      (n - 1) * (params.strides[i] ?? 1)
      - before
      - after
      + (params.dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1)
      + 1
      + (outputPadding[i] ?? 0)
    );
  });
  return withBias(apply1(convInputGradOp, [x, w], { ...params, spatial }), given.bias);
}

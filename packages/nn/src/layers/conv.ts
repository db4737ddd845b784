import {
  readOptions,
  conv as convolve,
  convTranspose as convolveTransposed,
  sizeOf,
  UserError,
  type Generator,
  type Padding,
  type Tensor,
} from '@langevin/tensor';
import { checkDivides, checkSizes } from '../check-sizes.ts';
import { fanInUniform, kaimingUniform, type Initializer } from '../init.ts';
import { defineModule, type Layer } from '../module.ts';

export interface ConvConfig {
  readonly inputs: number;
  readonly outputs: number;
  /** One size for all spatial axes, or one for each. */
  readonly kernel: number | readonly number[];
  /** Spatial axes: 1, 2 or 3. @default 2, or as many as `kernel` lists */
  readonly axes?: 1 | 2 | 3;
  /** @default 1 */
  readonly stride?: number | readonly number[];
  /** Zeros around each spatial axis. @default 0 */
  readonly padding?: Padding;
  /** @default 1 */
  readonly dilation?: number | readonly number[];
  /** Blocks of channels that do not mix. @default 1 */
  readonly groups?: number;
  /** @default 'learned' */
  readonly bias?: 'learned' | 'none';
  /** @default kaimingUniform(), PyTorch's */
  readonly weightInit?: Initializer;
  /** @default uniform within 1 / sqrt(fan in), PyTorch's */
  readonly biasInit?: Initializer;
}

export interface ConvParams {
  /** [outputs, inputs / groups, ...kernel] */
  readonly weight: Tensor;
  /** [outputs] */
  readonly bias?: Tensor;
}

function kernelOf(where: string, { kernel, axes }: Pick<ConvConfig, 'kernel' | 'axes'>): readonly number[] {
  if (typeof kernel === 'number') {
    checkSizes(where, { kernel });
    return new Array<number>(axes ?? 2).fill(kernel);
  }
  if (kernel.length < 1 || kernel.length > 3 || (axes !== undefined && kernel.length !== axes)) {
    throw new UserError(
      `[nn/${where}] kernel does not have one size for each axis: kernel=[${kernel.join(', ')}], axes=${axes ?? '1 to 3'}. Give `
        + 'one number, or one for each.',
    );
  }
  kernel.forEach((size, i) => checkSizes(where, { [`kernel[${i}]`]: size }));
  return kernel;
}

/**
 * Weight, then bias: the order decides which random numbers each gets. PyTorch takes all axes but the first for the fan in, of transposed
 * weights as well.
 */
function initConv({ outputs, bias = 'learned', ...config }: ConvConfig, shape: readonly number[]): (generator: Generator) => ConvParams {
  const { weightInit = kaimingUniform(), biasInit = fanInUniform(sizeOf(shape.slice(1))) } = config;
  return (generator) => {
    const weight = weightInit(generator, shape);
    return bias === 'none' ? { weight } : { weight, bias: biasInit(generator, [outputs]) };
  };
}

/**
 * Convolution of [N, inputs, ...spatial] over 1, 2 or 3 spatial axes: `torch.nn.Conv1d`, `Conv2d`, `Conv3d`.
 *
 * @throws UserError when a size is not positive or groups do not divide the channels
 * @example
 * const layer = conv({ inputs: 3, outputs: 8, kernel: 3, padding: 1 });
 * layer.apply(layer.init(torchGenerator(0)), ones([1, 3, 16, 16])).shape; // => [1, 8, 16, 16]
 */
export function conv(given: ConvConfig): Layer<ConvParams> {
  const config = readOptions('nn/conv', given);
  const { inputs, outputs, stride = 1, padding = 0, dilation = 1, groups = 1 } = config;
  checkSizes('conv', { inputs, outputs, groups });
  checkDivides('conv', { groups }, { inputs, outputs });
  const kernel = kernelOf('conv', config);
  return defineModule({
    init: initConv(config, [outputs, inputs / groups, ...kernel]),
    apply: (params: ConvParams, x: Tensor) => convolve(x, params.weight, { stride, padding, dilation, groups, bias: params.bias }),
  });
}

export interface ConvTransposeConfig extends ConvConfig {
  /** Added to one end of each spatial size. @default 0 */
  readonly outputPadding?: number | readonly number[];
}

/**
 * Transposed convolution of [N, inputs, ...spatial]: `torch.nn.ConvTranspose2d` and its relatives. The weight is
 * [inputs, outputs / groups, ...kernel].
 */
export function convTranspose(given: ConvTransposeConfig): Layer<ConvParams> {
  const config = readOptions('nn/convTranspose', given);
  const { inputs, outputs, stride = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = config;
  checkSizes('convTranspose', { inputs, outputs, groups });
  checkDivides('convTranspose', { groups }, { inputs, outputs });
  const kernel = kernelOf('convTranspose', config);
  return defineModule({
    init: initConv(config, [inputs, outputs / groups, ...kernel]),
    apply: (params: ConvParams, x: Tensor) =>
      convolveTransposed(x, params.weight, { stride, padding, dilation, groups, outputPadding, bias: params.bias }),
  });
}

import { add, checkNumber, mean, mul, square, sub, type Tensor, tensor } from '@langevin/tensor';
import { batchMean, checkImportance, checkSame, perImageFactor, type DenoisingLoss } from './denoising.ts';

const WHERE = 'core-schedules/flow-matching';

export interface FlowMatchingPathOptions {
  /** Noise left at t = 0, in [0, 1). @default 0, the straight path; Lipman et al. use small values such as 1e-4 */
  readonly sigmaMin?: number;
}

/** The state is x0 * image + source * noise, and moves at targetX0 * image + targetSource * noise. */
export interface FlowMatchingPath {
  readonly x0: number;
  readonly source: number;
  readonly targetX0: number;
  readonly targetSource: number;
}

/**
 * The conditional path of flow matching between an image (t = 0) and noise or another source (t = 1), and its velocity, towards the
 * source as t grows: Lipman et al. 2022 (arXiv:2210.02747, eq. 22), whose time runs the other way; with sigmaMin = 0 it is rectified
 * flow and I-CFM.
 *
 * @example
 * flowMatchingPath(0.25); // => { x0: 0.75, source: 0.25, targetX0: -1, targetSource: 1 }
 */
export function flowMatchingPath(t: number, options: FlowMatchingPathOptions = {}): FlowMatchingPath {
  const { sigmaMin = 0 } = options;
  checkNumber(WHERE, { t }, { atLeast: 0, atMost: 1 });
  checkNumber(WHERE, { sigmaMin }, { atLeast: 0, below: 1 });
  return { x0: 1 - t, source: sigmaMin + (1 - sigmaMin) * t, targetX0: -1, targetSource: 1 - sigmaMin };
}

/** [N] float32 tensors, one number for each image: inputs of a compiled step. */
export interface FlowMatchingCoefficients {
  readonly x0: Tensor;
  readonly source: Tensor;
  readonly targetX0: Tensor;
  readonly targetSource: Tensor;
  /** Deviation of the noise that widens the path. */
  readonly bridgeSigma: Tensor;
  readonly cNoise: Tensor;
  readonly importance?: Tensor;
}

export interface FlowMatchingCoefficientsOptions extends FlowMatchingPathOptions {
  /** One for each image, in [0, 1]. */
  readonly times: readonly number[];
  /** Deviation of noise about the path, >= 0, for `bridgeNoise` (I-CFM and OT-CFM, whose sigma is often 0). @default 0 */
  readonly bridgeSigma?: number;
  /** The number the network is given for a time. @default 1000 t, as flow() has it */
  readonly conditioning?: (t: number) => number;
  readonly importance?: readonly number[];
}

/**
 * All that a flow-matching step needs to know of its times.
 *
 * @example
 * await numbers(flowMatchingCoefficients({ times: [0.25, 0.5] }).x0); // => [0.75, 0.5]
 */
export function flowMatchingCoefficients(options: FlowMatchingCoefficientsOptions): FlowMatchingCoefficients {
  const { times, bridgeSigma = 0, conditioning = (t) => 1000 * t, importance } = options;
  checkNumber(WHERE, { 'times.length': times.length }, { atLeast: 1, atMost: 1e6, kind: 'integer' });
  checkNumber(WHERE, { bridgeSigma }, { atLeast: 0 });
  if (importance !== undefined) checkImportance(importance, times.length);
  const paths = times.map((t) => flowMatchingPath(t, options));
  const column = (name: keyof FlowMatchingPath): Tensor => tensor(Float32Array.from(paths, (path) => path[name]));
  return {
    x0: column('x0'),
    source: column('source'),
    targetX0: column('targetX0'),
    targetSource: column('targetSource'),
    bridgeSigma: tensor(Float32Array.from(times, () => bridgeSigma)),
    cNoise: tensor(Float32Array.from(times, conditioning)),
    ...(importance === undefined ? {} : { importance: tensor(Float32Array.from(importance)) }),
  };
}

export interface FlowMatchingLossOptions {
  /** x [N, ...] and cNoise [N] give the velocity [N, ...]. */
  readonly network: (x: Tensor, cNoise: Tensor) => Tensor;
  /** Images [N, ...]. */
  readonly x0: Tensor;
  /** Where the paths end, of the same shape: unit noise for flow matching, any images for I-CFM, those of transportPairing() for OT-CFM. */
  readonly source: Tensor;
  /** Unit noise of the same shape that widens the path by bridgeSigma. @default none */
  readonly bridgeNoise?: Tensor;
  readonly coefficients: FlowMatchingCoefficients;
}

/**
 * Conditional flow matching: the mean squared error of the velocity. With a Gaussian source and no bridge noise it is `denoisingLoss`
 * with a flow network and `plainWeight`; here the source may be anything (I-CFM and OT-CFM: Tong et al. 2023, arXiv:2302.00482, eq. 14).
 *
 * @example
 * const [x0, source] = [tensor([[1, 2]]), tensor([[0, 0]])];
 * // The network that says the velocity of the straight path, source - x0.
 * const { loss } = flowMatchingLoss({ network: () => sub(source, x0), x0, source, coefficients: flowMatchingCoefficients({ times: [0.5] })
 * }); await numbers(loss); // => [0]
 */
export function flowMatchingLoss({ network, x0, source, bridgeNoise, coefficients: c }: FlowMatchingLossOptions): DenoisingLoss {
  checkSame('source', source, x0);
  const of = (t: Tensor): Tensor => perImageFactor(t, x0);
  const path = add(mul(of(c.x0), x0), mul(of(c.source), source));
  if (bridgeNoise !== undefined) checkSame('bridgeNoise', bridgeNoise, x0);
  const x = bridgeNoise === undefined ? path : add(path, mul(of(c.bridgeSigma), bridgeNoise));
  const output = network(x, c.cNoise);
  checkSame("the network's output", output, x0);
  const error = square(sub(output, add(mul(of(c.targetX0), x0), mul(of(c.targetSource), source))));
  const axes = x0.shape.map((_, axis) => axis).slice(1);
  const perImage = axes.length === 0 ? error : mean(error, { axes });
  return { loss: batchMean(perImage, c.importance), perImage };
}

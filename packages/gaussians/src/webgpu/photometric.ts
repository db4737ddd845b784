import type { PhotometricRequest } from '../rasterizer.ts';
import type { Buffers } from './buffers.ts';
import type { GpuBuffer, GpuDevice } from './gpu.ts';
import { groupsFor, type Step } from './kernels.ts';
import { sceneBuffers, type Sizes } from './pipeline.ts';
import { LOSS_GROUP } from './shaders/photometric.ts';

/** The comparison of a picture on the device with what it should be. */
export interface Comparison {
  readonly steps: readonly Step[];
  /** Sums of groups: SSIM, |d|, d^2, difference of disparities. */
  readonly totals: GpuBuffer;
  readonly length: number;
  /** From the sums to the loss, as `photometricLoss` and `depthLoss` have it. */
  readonly measure: (totals: Float32Array) => { readonly loss: number; readonly l1: number; readonly mse: number; readonly ssim: number };
}

/** Uploads what is compared with, and says how. The gradient by the picture goes to `cotangents`. */
export function comparison(
  { device, buffers }: { readonly device: GpuDevice; readonly buffers: Buffers },
  { sizes, cotangents }: { readonly sizes: Sizes; readonly cotangents: GpuBuffer },
  { target, mask, dssim, depth }: PhotometricRequest,
): Comparison {
  const { pixels } = sizes;
  const numbers = 3 * pixels;
  const { view, picture } = sceneBuffers(buffers, sizes);
  const loss = buffers.get('loss', 16, 'uniform');
  const targets = buffers.get('target', 4 * (numbers + (depth === undefined ? 0 : pixels)));
  const masks = buffers.get('mask', mask === undefined ? 4 : 4 * Math.ceil(pixels / 4));
  const blurred = buffers.get('blurred', 20 * numbers);
  const slopes = buffers.get('slopes', 12 * numbers);
  const length = 4 * Math.ceil(numbers / LOSS_GROUP);
  const totals = buffers.get('loss sums', 4 * length);

  const known = depth === undefined ? 0 : depth.target.reduce((count, value) => count + (value > 0 ? 1 : 0), 0);
  const weight = depth === undefined || known === 0 ? 0 : depth.weight / known;
  device.queue.writeBuffer(targets, 0, target);
  if (depth !== undefined) device.queue.writeBuffer(targets, 4 * numbers, depth.target);
  if (mask !== undefined) device.queue.writeBuffer(masks, 0, inWords(mask));
  const scales = new Float32Array(4);
  scales.set([(1 - dssim) / numbers, -dssim / numbers, weight]);
  new Uint32Array(scales.buffer)[3] = (mask === undefined ? 0 : 1) | (depth === undefined ? 0 : 2);
  device.queue.writeBuffer(loss, 0, scales);

  const groups = groupsFor(numbers, LOSS_GROUP);
  return {
    steps: [
      { kernel: 'lossForwardRows', bindings: [view, loss, picture, targets, masks, blurred], groups },
      { kernel: 'lossForwardColumns', bindings: [view, loss, picture, targets, masks, blurred, slopes, totals], groups },
      { kernel: 'lossBackwardRows', bindings: [view, slopes, blurred], groups },
      { kernel: 'lossBackwardColumns', bindings: [view, loss, picture, targets, masks, blurred, cotangents], groups },
    ],
    totals,
    length,
    measure: (sums) => {
      const totalsOf = new Float64Array(4);
      for (let i = 0; i < sums.length; i++) totalsOf[i % 4]! += sums[i]!;
      const [ssim, l1, mse] = [totalsOf[0]! / numbers, totalsOf[1]! / numbers, totalsOf[2]! / numbers];
      return { loss: (1 - dssim) * l1 + dssim * (1 - ssim) + weight * totalsOf[3]!, l1, mse, ssim };
    },
  };
}

/** Writes to a buffer come in whole words. */
function inWords(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const padded = new Uint8Array(4 * Math.ceil(bytes.length / 4));
  padded.set(bytes);
  return padded;
}

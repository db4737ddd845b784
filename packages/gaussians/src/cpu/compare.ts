import type { PhotometricResult } from '../losses/photometric.ts';
import { stopwatch } from '../trace.ts';
import { NO_JOB, type Drawn } from './draw.ts';
import { BAND, BAND_SCRATCH, type Job } from './layout.ts';
import { floats, place, reserve } from './memory.ts';
import type { Threads } from './threads.ts';

/** What {@link photometricLoss} gives, with the gradient in the memory of the kernels. */
export interface Compared extends PhotometricResult<Float32Array> {
  /** Where the gradient is, and the first byte after it. */
  readonly at: number;
  readonly end: number;
}

/** The kernels' {@link photometricLoss}, for a picture of three channels that lies before `start`. */
export async function compare(
  { memory, count: workers, run, trace }: Threads,
  { start, drawn }: { readonly start: number; readonly drawn: Drawn },
  given: { readonly target: Float32Array; readonly mask?: Uint8Array | undefined; readonly dssim: number },
): Promise<Compared> {
  const { width, height } = drawn;
  const { target, mask, dssim } = given;
  const numbers = 3 * width * height;
  const bands = Math.ceil(height / BAND);
  const done = stopwatch(trace);
  const space = reserve(memory, start);
  const at = space(4 * numbers);
  const end = space(0);
  const pitch = 16 * Math.ceil((3 * width) / 4);
  const job: Job = {
    ...NO_JOB,
    width,
    height,
    image: drawn.color,
    target: place(memory, space, target),
    gradient: at,
    maps: space(3 * height * pitch),
    pitch,
    lossScales: place(memory, space, [-dssim / numbers, (1 - dssim) / numbers]),
    lossSums: space(24 * bands),
    scratch: space(BAND_SCRATCH * workers),
    scratchStride: BAND_SCRATCH,
  };
  if (mask !== undefined) showTarget(floats(memory, drawn.color, numbers), target, mask);
  await run({ kind: 'lossForward', job, pieces: bands });
  await run({ kind: 'lossBackward', job, pieces: bands });
  const gradient = floats(memory, at, numbers);
  if (mask !== undefined) for (let i = 0; i < numbers; i++) gradient[i] = (gradient[i]! * mask[Math.floor(i / 3)]!) / 255;
  const sums = new Float64Array(memory.buffer, job.lossSums, 3 * bands);
  const mean = (which: number): number => {
    let sum = 0;
    for (let band = 0; band < bands; band++) sum += sums[3 * band + which]!;
    return sum / numbers;
  };
  done('loss');
  const [ssim, l1, mse] = [mean(0), mean(1), mean(2)];
  return { loss: (1 - dssim) * l1 + dssim * (1 - ssim), l1, mse, ssim, gradient, at, end };
}

/** Where a mask hides the picture, it is the target. */
function showTarget(image: Float32Array, target: Float32Array, mask: Uint8Array): void {
  for (let i = 0; i < image.length; i++) {
    const weight = mask[Math.floor(i / 3)]! / 255;
    image[i] = weight * image[i]! + (1 - weight) * target[i]!;
  }
}

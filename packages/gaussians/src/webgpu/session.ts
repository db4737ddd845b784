import { InternalError, UnsupportedError, UserError } from '@langevin/tensor';
import { createBuffers, type Buffers } from './buffers.ts';
import { acquireDevice, checkDevice } from './device.ts';
import { MAP_READ, type GpuBuffer, type GpuDevice } from './gpu.ts';
import { createKernels, USUAL_KERNELS, type Step } from './kernels.ts';
import { writeConstants } from './pipeline.ts';

const WHERE = 'gaussians/webgpu';

export interface WebgpuRasterizerOptions {
  /**
   * A GPUDevice to draw on, which stays the caller's.
   * @default one of its own, of the browser or, in Node, of the optional package `webgpu`
   */
  readonly device?: GpuDevice;
  /** Whether an adapter that computes on the CPU will do; without a `device`. @default 'accept' */
  readonly software?: 'accept' | 'refuse';
}

/** What to bring back of a buffer: arrays of these lengths that lie one after the other from its beginning. */
export interface Piece {
  readonly buffer: GpuBuffer;
  readonly lengths: readonly number[];
}

/** A device with kernels and buffers, for one job at a time. */
export interface Session {
  readonly device: GpuDevice;
  readonly description: string;
  readonly buffers: Buffers;
  /** Waits for the jobs before this one. @throws UserError after the end, UnsupportedError once the device is lost */
  readonly inTurn: <T>(task: () => Promise<T>) => Promise<T>;
  /** Runs steps and brings pieces back: all arrays in their order, each with memory of its own. */
  readonly execute: (steps: readonly Step[], pieces: readonly Piece[]) => Promise<Float32Array[]>;
  readonly dispose: () => Promise<void>;
}

/** @throws UnsupportedError where there is no device */
export async function openSession(options: WebgpuRasterizerOptions): Promise<Session> {
  const { software = 'accept' } = options;
  if (software !== 'accept' && software !== 'refuse')
    throw new UserError(`[${WHERE}] unknown option: software=${String(software)}. Known: accept, refuse.`);
  const { device, description } =
    options.device === undefined ? await acquireDevice(software) : { device: options.device, description: 'device of the caller' };
  checkDevice(device);
  let lost: string | undefined;
  void device.lost.then(({ reason, message }) => (lost = `reason=${reason}${message === '' ? '' : `, ${message}`}`));
  const buffers = createBuffers(device);
  const kernels = createKernels(device, buffers);
  await kernels.load(USUAL_KERNELS);
  writeConstants(device, buffers);

  let disposed = false;
  const demandAlive = (): void => {
    if (disposed) throw new UserError(`[${WHERE}] the rasterizer was disposed of: disposed=true. Make another.`);
    if (lost !== undefined)
      throw new UnsupportedError(`[${WHERE}] the device was lost: ${lost}. Make another rasterizer, or use cpuRasterizer().`);
  };
  let last: Promise<unknown> = Promise.resolve();

  const execute = async (steps: readonly Step[], pieces: readonly Piece[]): Promise<Float32Array[]> => {
    const lengths = pieces.flatMap((piece) => piece.lengths);
    const bytes = 4 * total(lengths);
    const readback = buffers.get('readback', bytes, 'readback');
    await kernels.load(steps.map(({ kernel }) => kernel));
    await buffers.settle();
    device.pushErrorScope('validation');
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    kernels.run(pass, steps);
    pass.end();
    let at = 0;
    for (const { buffer, lengths: parts } of pieces) {
      const size = 4 * total(parts);
      if (size > 0) encoder.copyBufferToBuffer(buffer, 0, readback, at, size);
      at += size;
    }
    device.queue.submit([encoder.finish()]);
    const checked = device.popErrorScope();
    const mapped = readback.mapAsync(MAP_READ, 0, bytes);
    const fault = await checked;
    if (fault !== null) {
      await mapped.then(
        () => readback.unmap(),
        () => {},
      );
      throw new InternalError(
        `[${WHERE}] the device refused a command: ${fault.message}. Please report it with the adapter's name: ${description}.`,
      );
    }
    await mapped;
    const brought = readback.getMappedRange(0, bytes);
    at = 0;
    const arrays = lengths.map((length) => {
      const array = new Float32Array(brought, at, length).slice();
      at += 4 * length;
      return array;
    });
    readback.unmap();
    return arrays;
  };

  return {
    device,
    description,
    buffers,
    execute,
    inTurn(task) {
      const turn = last.then(async () => {
        demandAlive();
        try {
          return await task();
        } catch (cause) {
          // What fails because the device went away is told apart once the device has said so.
          await new Promise((resolve) => setTimeout(resolve, 0));
          demandAlive();
          throw cause;
        }
      });
      last = turn.catch(() => {});
      return turn;
    },
    async dispose() {
      disposed = true;
      await last;
      buffers.dispose();
      if (options.device === undefined) device.destroy();
    },
  };
}

function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

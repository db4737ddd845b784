import { UnsupportedError } from '@langevin/tensor';
import { USAGE, type GpuBuffer, type GpuDevice } from './gpu.ts';

const WHERE = 'gaussians/webgpu';

/** Kinds of buffers, by what happens to them. */
const USAGES = {
  uniform: USAGE.uniform | USAGE.copyTarget,
  storage: USAGE.storage | USAGE.copyTarget | USAGE.copySource,
  indirect: USAGE.storage | USAGE.indirect,
  readback: USAGE.mapRead | USAGE.copyTarget,
} as const;

/** Least size, so that every binding has something in it. */
const LEAST = 256;

/** Buffers by name that stay from call to call and grow when they must. */
export interface Buffers {
  /**
   * The buffer of that name with room for `bytes`; what was in it is lost when it grows.
   *
   * @throws UnsupportedError where the device has no buffers of that size
   */
  readonly get: (name: string, bytes: number, kind?: keyof typeof USAGES) => GpuBuffer;
  /**
   * Waits for the device to say whether the buffers made since the last call exist.
   * @throws UnsupportedError when it had no memory for one
   */
  readonly settle: () => Promise<void>;
  /** Counts reallocations: groups of bindings made before one are of no use after it. */
  readonly generation: () => number;
  readonly bytes: () => number;
  readonly dispose: () => void;
}

export function createBuffers(device: GpuDevice): Buffers {
  const held = new Map<string, GpuBuffer>();
  let generation = 0;
  let scopes: Promise<{ readonly name: string; readonly size: number; readonly fault: { readonly message: string } | null }>[] = [];
  return {
    get(name, bytes, kind = 'storage') {
      const before = held.get(name);
      if (before !== undefined && before.size >= bytes) return before;
      const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
      const most = kind === 'storage' ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
      if (bytes > most) {
        throw new UnsupportedError(
          `[${WHERE}] does not fit into a buffer of this device: ${name}=${bytes} bytes, at most ${most}. Draw a smaller picture `
            + 'or fewer Gaussians, or use cpuRasterizer().',
        );
      }
      before?.destroy();
      held.delete(name);
      generation++;
      // What has grown once will grow again.
      const size = Math.ceil(Math.max(LEAST, Math.min(most, before === undefined ? bytes : 1.25 * bytes)) / 16) * 16;
      device.pushErrorScope('out-of-memory');
      const buffer = device.createBuffer({
        label: `gaussians ${name}`,
        size: Math.min(size, Math.floor(most / 16) * 16),
        usage: USAGES[kind],
      });
      scopes.push(device.popErrorScope().then((fault) => ({ name, size, fault })));
      held.set(name, buffer);
      return buffer;
    },
    async settle() {
      const waiting = scopes;
      scopes = [];
      for (const { name, size, fault } of await Promise.all(waiting)) {
        if (fault === null) continue;
        held.get(name)?.destroy();
        held.delete(name);
        throw new UnsupportedError(
          `[${WHERE}] the device has no memory left: ${name}=${size} bytes, ${fault.message}. Draw a smaller picture or fewer `
            + 'Gaussians, or use cpuRasterizer().',
        );
      }
    },
    generation: () => generation,
    bytes: () => [...held.values()].reduce((sum, { size }) => sum + size, 0),
    dispose() {
      for (const buffer of held.values()) buffer.destroy();
      held.clear();
    },
  };
}

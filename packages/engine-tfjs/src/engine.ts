import { indexRangeOf } from '@langevin/tensor';
import type { Engine } from '@langevin/tensor';
import { onBackend } from './backend-scope.ts';
import { firstBackend, loadBackend } from './backends.ts';
import type { BackendName, BackendOptions } from './backends.ts';
import { TfjsBuffer, asTfjsBuffer } from './buffer.ts';
import { compileGraph, makeTensor } from './executable.ts';
import { fromStorage } from './storage.ts';

export interface TfjsEngineOptions extends BackendOptions {
  /** @default the first available of {@link backendNames} */
  readonly backend?: BackendName;
}

/**
 * An engine that interprets graphs on TensorFlow.js. float32 is computed as such; int32, int64, uint8 and bool are held in int32
 * (int64 data beyond 32 bits is refused); the 16-bit floats are not supported.
 *
 * @throws UnsupportedError when the backend, or every backend, is missing; it says what to install
 * @example
 * const engine = await tfjsEngine({ backend: 'cpu' });
 * engine.device; // => 'cpu'
 */
export async function tfjsEngine({ backend, ...options }: TfjsEngineOptions = {}): Promise<Engine> {
  const chosen = backend === undefined ? await firstBackend(options) : { name: backend, registered: await loadBackend(backend, options) };
  const { name, registered } = chosen;
  return {
    name: 'tfjs',
    device: name,
    composites: new Set(),
    compile: (graph) => compileGraph(graph, registered),
    upload: async (data, info) => {
      const range = data instanceof Int32Array ? indexRangeOf(data) : undefined;
      return onBackend(registered, () => new TfjsBuffer(makeTensor(data, info), info, { backend: registered, range }));
    },
    download: async (buffer) => fromStorage(buffer.dtype, await asTfjsBuffer(buffer, registered).tensor.data()),
    // The backend is shared by all of TensorFlow.js and stays; buffers and executables are freed by their owners.
    dispose: async () => {},
  };
}

import type { DType, Engine, EngineBuffer, Executable, Graph, HostArray, RunOptions, ValueInfo } from '@langevin/tensor';
import { indexRangeOf, InternalError, sizeOf } from '@langevin/tensor';
import type { OrtTensor } from '../runtime/ort.ts';
import { Copier, type Place } from './copier.ts';
import { DeviceBuffer } from './device-buffer.ts';
import { explainRuntimeError } from './errors.ts';
import { checkFits, foreignBuffer } from './fits.ts';
import { loweredComposites } from './composites.ts';
import { hostFromTensor, tensorFromHost } from './host-buffer.ts';
import { checkRange, indexInputs, type IndexInput } from './index-inputs.ts';
import { feedLargeConstants, withFedInputs } from './large-constants.ts';
import { OpenLeases, SessionLease } from './lease.ts';
import { createSession, type CompiledSession, type SessionContext } from './session.ts';

/** Smaller inputs are handed over at each run, which costs less than a run that moves them. */
const SMALL_BYTES = 4096;

/** Dtypes that have buffers on WebGPU; results of other dtypes are computed, or end, on the host. */
const ON_DEVICE: ReadonlySet<DType> = new Set<DType>(['float32', 'float16', 'bfloat16', 'int32']);

function placeOf({ dtype, shape }: ValueInfo): Place {
  return ON_DEVICE.has(dtype) && sizeOf(shape) > 0 ? 'gpu-buffer' : 'cpu';
}

/** An engine whose buffers stay on the device between runs: what one graph computes, the next one reads there. */
export function deviceEngine(context: SessionContext): Engine {
  const { ort, device, runtime, options } = context;
  const copier = new Copier(ort, runtime.sessionOptions(device, options.threads));
  const leases = new OpenLeases();
  return {
    name: 'onnxruntime',
    device,
    composites: loweredComposites,
    async compile(whole) {
      const { graph, fed } = await feedLargeConstants(whole, runtime);
      const indices = indexInputs(graph);
      const compiled = await createDeviceSession(graph, context);
      const lease = new SessionLease(compiled.session);
      const executable = new DeviceExecutable(graph, { compiled, lease, leases, indices, context, copier });
      leases.watch(executable, lease);
      return withFedInputs(
        executable,
        fed.map(({ info, data }) => new DeviceBuffer(info, { tensor: tensorFromHost(ort, data, info) })),
      );
    },
    upload: (data, info) => {
      const range = data instanceof Int32Array ? indexRangeOf(data) : undefined;
      return Promise.resolve(new DeviceBuffer(info, { tensor: tensorFromHost(ort, data, info), range }));
    },
    async download(buffer): Promise<HostArray> {
      const { tensor, onHost } = deviceBuffer(buffer);
      const onCpu = onHost ? tensor : (await copier.copy(tensor, 'cpu')).tensor;
      return hostFromTensor(onCpu.data, buffer.dtype);
    },
    async dispose() {
      await leases.closeAll();
      await copier.dispose();
    },
  };
}

/** Which outputs stay on the device is asked for by name, and names are known only after lowering. */
function createDeviceSession(graph: Graph, context: SessionContext): Promise<CompiledSession> {
  const preferred = (outputNames: readonly string[]): Readonly<Record<string, unknown>> => ({
    preferredOutputLocation: Object.fromEntries(outputNames.map((name, i) => [name, placeOf(graph.values[graph.outputs[i]!]!)])),
  });
  return createSession(graph, { ...context, extraOptions: preferred });
}

interface DeviceExecutableParts {
  readonly compiled: CompiledSession;
  readonly lease: SessionLease;
  readonly leases: OpenLeases;
  readonly indices: readonly IndexInput[];
  readonly context: SessionContext;
  readonly copier: Copier;
}

class DeviceExecutable implements Executable {
  readonly #graph: Graph;
  readonly #parts: DeviceExecutableParts;

  constructor(graph: Graph, parts: DeviceExecutableParts) {
    this.#graph = graph;
    this.#parts = parts;
  }

  async run(inputs: readonly EngineBuffer[], options: RunOptions = {}): Promise<readonly EngineBuffer[]> {
    const { compiled, context, lease, indices } = this.#parts;
    if (lease.closed) throw new InternalError('[engine-onnxruntime] executable was disposed before this run.');
    const buffers = compiled.inputNames.map((_, i) => {
      const info = this.#graph.values[this.#graph.inputs[i]!]!;
      return deviceBuffer(checkFits(inputs[i], info, { role: 'input', index: i }));
    });
    // What was computed on the device is not read back for this: its kernels clamp such indices.
    for (const { position, use } of indices) checkRange(use, buffers[position]!.range);
    const feeds: Record<string, OrtTensor> = {};
    for (const [i, name] of compiled.inputNames.entries()) feeds[name] = await this.#onDevice(buffers[i]!);
    const fetches = Object.fromEntries(compiled.outputNames.map((name) => [name, null]));
    let results: Readonly<Record<string, OrtTensor>>;
    try {
      results = await lease.session.run(feeds, fetches);
    } catch (error) {
      throw explainRuntimeError(error, { graph: this.#graph, device: context.device, doing: 'running' });
    }
    // The runtime allocates from its own pool, to which the storage that was offered goes back.
    for (const offered of options.outputs ?? []) offered?.dispose();
    return compiled.outputNames.map((name, i) => {
      const info = this.#graph.values[this.#graph.outputs[i]!]!;
      return new DeviceBuffer(info, { tensor: results[name]!, lease });
    });
  }

  async #onDevice(buffer: DeviceBuffer): Promise<OrtTensor> {
    const { tensor } = buffer;
    if (buffer.onHost && placeOf(buffer) === 'gpu-buffer' && tensor.data.byteLength > SMALL_BYTES) {
      const copy = await this.#parts.copier.copy(tensor, 'gpu-buffer');
      buffer.move(copy.tensor, copy.lease);
    }
    return buffer.tensor;
  }

  dispose(): Promise<void> {
    return this.#parts.leases.close(this.#parts.lease);
  }
}

function deviceBuffer(buffer: EngineBuffer): DeviceBuffer {
  if (buffer instanceof DeviceBuffer) return buffer;
  throw foreignBuffer(buffer);
}

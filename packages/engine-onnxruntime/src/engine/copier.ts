import type { DType } from '@langevin/tensor';
import { onnxTypes } from '../onnx/model.ts';
import { encodeModel } from '../onnx/proto.ts';
import type { Ort, OrtSessionOptions, OrtTensor } from '../runtime/ort.ts';
import type { DeviceTensor } from './device-buffer.ts';
import { SessionLease } from './lease.ts';

export type Place = 'cpu' | 'gpu-buffer';

/**
 * Moves tensors between host and device by running Identity, with the result asked for in the other place. The direct way,
 * `getData()`, aborts the process in onnxruntime-node 1.30.
 */
export class Copier {
  readonly #ort: Ort;
  readonly #options: OrtSessionOptions;
  readonly #sessions = new Map<string, Promise<SessionLease>>();

  constructor(ort: Ort, options: OrtSessionOptions) {
    this.#ort = ort;
    this.#options = options;
  }

  async copy(tensor: OrtTensor, to: Place): Promise<DeviceTensor> {
    const key = `${tensor.type} ${tensor.dims.length} ${to}`;
    let pending = this.#sessions.get(key);
    if (!pending) this.#sessions.set(key, (pending = this.#create(tensor, to)));
    const lease = await pending;
    const { y } = await lease.session.run({ x: tensor }, { y: null });
    return { tensor: y!, lease };
  }

  async dispose(): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values());
    this.#sessions.clear();
    await Promise.all(sessions.map((lease) => lease.close()));
  }

  async #create(tensor: OrtTensor, to: Place): Promise<SessionLease> {
    const type = onnxTypes[tensor.type as Exclude<DType, 'bfloat16'>];
    const shape = tensor.dims.map((_, i) => `n${i}`);
    const model = encodeModel({
      irVersion: 10,
      producer: 'langevin',
      name: 'copy',
      opsets: { '': 21 },
      nodes: [{ name: 'copy', op: 'Identity', domain: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
      initializers: [],
      inputs: [{ name: 'x', type, shape }],
      outputs: [{ name: 'y', type, shape }],
      declared: [],
    });
    return new SessionLease(await this.#ort.InferenceSession.create(model, { ...this.#options, preferredOutputLocation: to }));
  }
}

import type { DType, EngineBuffer, IndexRange, Shape, ValueInfo } from '@langevin/tensor';
import { showShape, UserError } from '@langevin/tensor';
import type { OrtTensor } from '../runtime/ort.ts';
import type { SessionLease } from './lease.ts';

/** A tensor in device memory and the session that it came from. */
export interface DeviceTensor {
  readonly tensor: OrtTensor;
  readonly lease: SessionLease;
}

function release({ tensor, lease }: DeviceTensor): void {
  tensor.dispose();
  void lease.drop();
}

/** Garbage collection does not know how much memory a tensor on a device holds, but it does get to it. */
const forgotten = new FinalizationRegistry<DeviceTensor>(release);

/** What a buffer begins with. */
export interface DeviceContent {
  readonly tensor: OrtTensor;
  /** The session that made it, of a tensor on the device. */
  readonly lease?: SessionLease;
  /** Of uploaded int32. */
  readonly range?: IndexRange | undefined;
}

/** Storage on a device, or still on the host until its first use there. */
export class DeviceBuffer implements EngineBuffer {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The least and greatest element, where the host has seen them: should they serve as indices. */
  readonly range: IndexRange | undefined;
  #tensor: OrtTensor | undefined;
  #held: DeviceTensor | undefined;

  constructor(info: ValueInfo, { tensor, lease, range }: DeviceContent) {
    this.shape = info.shape;
    this.dtype = info.dtype;
    this.range = range;
    this.#tensor = tensor;
    if (lease) this.#hold(tensor, lease);
  }

  get tensor(): OrtTensor {
    if (!this.#tensor)
      throw new UserError(`[engine-onnxruntime] buffer was disposed: ${this.dtype}${showShape(this.shape)}. Keep it until its last use.`);
    return this.#tensor;
  }

  get onHost(): boolean {
    return this.tensor.location === 'cpu';
  }

  /** Take a copy on the device instead of the host's. */
  move(tensor: OrtTensor, lease: SessionLease): void {
    this.#tensor = tensor;
    this.#hold(tensor, lease);
  }

  dispose(): void {
    this.#tensor = undefined;
    if (!this.#held) return;
    forgotten.unregister(this);
    release(this.#held);
    this.#held = undefined;
  }

  #hold(tensor: OrtTensor, lease: SessionLease): void {
    if (tensor.location === 'cpu') return;
    lease.retain();
    this.#held = { tensor, lease };
    forgotten.register(this, this.#held, this);
  }
}

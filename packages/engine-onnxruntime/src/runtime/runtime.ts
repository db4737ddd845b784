import type { Engine, FileSlice, HostArray } from '@langevin/tensor';
import type { ExternalData } from '../onnx/model.ts';
import type { Device, EngineOptions } from '../engine/options.ts';
import type { Ort, OrtSessionOptions } from './ort.ts';

export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why it is not available, and what to do. */
  readonly reason?: string;
}

/** Bytes that a session is given beside its model. */
export interface ExternalPart {
  readonly path: string;
  readonly data: Uint8Array;
}

/** How constants that stay in files reach a session. */
export interface MappedFiles {
  /** Where each file constant is, as seen from the session. */
  readonly locate: (slice: FileSlice) => ExternalData;
  readonly sessionConfig: Readonly<Record<string, string>>;
}

/** What differs between Node and the browser. */
export interface Runtime {
  readonly name: 'onnxruntime-node' | 'onnxruntime-web';
  readonly devices: readonly Device[];
  readonly defaultDevice: (options: EngineOptions) => Promise<Device>;
  /** Import the peer. @throws UserError with the command that installs it, or with what has to be served beside it */
  readonly load: (device: Device, options: EngineOptions) => Promise<Ort>;
  /** Undefined where sessions cannot read files. */
  readonly mapFiles: ((slices: readonly FileSlice[]) => MappedFiles) | undefined;
  readonly sessionOptions: (device: Device, threads: number | undefined) => OrtSessionOptions;
  /** Make an engine that computes in another thread; undefined where there are none. */
  readonly inThread?: (options: EngineOptions) => Promise<Engine>;
  readonly report: () => Promise<readonly DeviceReport[]>;
}

export function bytesOf(data: HostArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

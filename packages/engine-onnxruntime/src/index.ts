import type { Engine } from '@langevin/tensor';
import { createEngine } from './engine/create.ts';
import type { EngineOptions } from './engine/options.ts';
import { nodeRuntime } from './runtime/node.ts';
import type { DeviceReport } from './runtime/runtime.ts';

export { graphToOnnx, type GraphToOnnxOptions } from './export.ts';
export type { Device, EngineOptions, WasmPaths } from './engine/options.ts';
export type { DeviceReport } from './runtime/runtime.ts';

/**
 * An engine that runs graphs on ONNX Runtime.
 *
 * @throws UserError when the peer is not installed (with the command that installs it) or the device is not there
 * @example
 * setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 2 }));
 */
export function onnxruntimeEngine(options: EngineOptions = {}): Promise<Engine> {
  return createEngine(nodeRuntime, options);
}

/** Every device this package knows, and for each whether it can be used here, or why not. */
export function availableDevices(): Promise<readonly DeviceReport[]> {
  return nodeRuntime.report();
}

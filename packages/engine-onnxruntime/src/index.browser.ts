import type { Engine } from '@langevin/tensor';
import { createEngine } from './engine/create.ts';
import type { EngineOptions } from './engine/options.ts';
import type { DeviceReport } from './runtime/runtime.ts';
import { webRuntime } from './runtime/web.ts';

export { graphToOnnx, type GraphToOnnxOptions } from './export.ts';
export type { Device, EngineOptions, WasmPaths } from './engine/options.ts';
export type { DeviceReport } from './runtime/runtime.ts';

/** An engine that runs graphs on onnxruntime-web; see the entry point for Node, which is the same from outside. */
export function onnxruntimeEngine(options: EngineOptions = {}): Promise<Engine> {
  return createEngine(webRuntime, options);
}

/** Every device this package knows in a browser, and for each whether it can be used here, or why not. */
export function availableDevices(): Promise<readonly DeviceReport[]> {
  return webRuntime.report();
}

import { UserError, type Engine } from '@langevin/tensor';
import { createEngine } from './engine/create.ts';
import type { EngineOptions } from './engine/options.ts';
import type { DeviceReport } from './runtime/runtime.ts';
import { openNetwork, type OnnxNetwork, type OnnxNetworkOptions } from './network/onnx-network.ts';
import { webRuntime } from './runtime/web.ts';

export { graphToOnnx, graphToOnnxFiles, type GraphToOnnxOptions, type OnnxFiles } from './export.ts';
export type { Device, EngineOptions, WasmPaths } from './engine/options.ts';
export type { DeviceReport } from './runtime/runtime.ts';
export type { OnnxNetwork, OnnxNetworkArray, OnnxNetworkOptions, OnnxNetworkValue } from './network/onnx-network.ts';

/** An engine that runs graphs on onnxruntime-web; see the entry point for Node, which is the same from outside. */
export function onnxruntimeEngine(options: EngineOptions = {}): Promise<Engine> {
  return createEngine(webRuntime, options);
}

/** Every device this package knows in a browser, and for each whether it can be used here, or why not. */
export function availableDevices(): Promise<readonly DeviceReport[]> {
  return webRuntime.report();
}

/** A network from the bytes of an ONNX file; see the entry point for Node, which also takes a path. */
export async function openOnnxNetwork(model: string | Uint8Array, options: OnnxNetworkOptions = {}): Promise<OnnxNetwork> {
  if (typeof model === 'string')
    throw new UserError(`[engine-onnxruntime/network] there are no files in a page: model=${model}. Fetch it, and pass its bytes.`);
  return openNetwork(webRuntime, { bytes: model, what: 'the given bytes', options });
}

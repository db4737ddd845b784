import { readFile, stat } from 'node:fs/promises';
import { UserError, type Engine } from '@langevin/tensor';
import { createEngine } from './engine/create.ts';
import type { EngineOptions } from './engine/options.ts';
import { MOST_BYTES, openNetwork, type OnnxNetwork, type OnnxNetworkOptions } from './network/onnx-network.ts';
import { nodeRuntime } from './runtime/node.ts';
import type { DeviceReport } from './runtime/runtime.ts';

export { graphToOnnx, graphToOnnxFiles, type GraphToOnnxOptions, type OnnxFiles } from './export.ts';
export type { Device, EngineOptions, WasmPaths } from './engine/options.ts';
export type { DeviceReport } from './runtime/runtime.ts';
export type { OnnxNetwork, OnnxNetworkArray, OnnxNetworkOptions, OnnxNetworkValue } from './network/onnx-network.ts';

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

/**
 * A network from an ONNX file: one input of float32 numbers, outputs by name. It serves to look at pictures with a network that somebody
 * else trained, and has no gradient. Nothing in the file is executed but its ops; weights beside the file are not read.
 *
 * @param model a path, or the bytes of the file
 * @throws UserError when it cannot be read or is no model; UnsupportedError when it does not take one batch of float32 numbers
 * @example
 * import { softmax, traceGraph } from '@langevin/tensor';
 * const graph = traceGraph((x) => [softmax(x!)], [{ shape: [1, 2], dtype: 'float32' }]);
 * const network = await openOnnxNetwork(await graphToOnnx(graph, { inputNames: ['x'], outputNames: ['y'] }));
 * (await network.run({ data: new Float32Array(2), shape: [1, 2] })).data; // => [0.5, 0.5]
 */
export async function openOnnxNetwork(model: string | Uint8Array, options: OnnxNetworkOptions = {}): Promise<OnnxNetwork> {
  if (typeof model !== 'string') return openNetwork(nodeRuntime, { bytes: model, what: 'the given bytes', options });
  return openNetwork(nodeRuntime, { bytes: await bytesOf(model), what: `model=${model}`, options });
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= MOST_BYTES) return await readFile(path);
  } catch (cause) {
    throw new UserError(`[engine-onnxruntime/network] model cannot be read: model=${path}, ${(cause as Error).message}. Give a file.`, {
      cause,
    });
  }
  throw new UserError(`[engine-onnxruntime/network] model is too large: model=${path}, limit=${MOST_BYTES} bytes. Use a smaller one.`);
}

import { UserError } from '@langevin/tensor';
import type { Device, EngineOptions } from '../engine/options.ts';
import { whyUnusable } from './adapter.ts';
import { importPeer } from './install.ts';
import { asOrt, type Ort, type OrtSessionOptions } from './ort.ts';
import { serialized } from './serialize.ts';
import type { DeviceReport, Runtime } from './runtime.ts';

const DEVICES: readonly Device[] = ['webgpu', 'wasm'];

/** One import serves both devices: this build of onnxruntime-web has WebGPU and WebAssembly kernels. */
let imported: Promise<Ort> | undefined;

function importWeb(): Promise<Ort> {
  imported ??= importPeer('onnxruntime-web', async () => {
    const ort = asOrt(await import('onnxruntime-web/webgpu'));
    ort.env.logLevel = 'fatal';
    return serialized(ort);
  });
  return imported;
}

/** The package with its WebAssembly, which is a file beside the bundle that somebody has to serve. */
async function startWeb({ threads, wasmPaths }: Pick<EngineOptions, 'threads' | 'wasmPaths'>): Promise<Ort> {
  const ort = await importWeb();
  if (threads !== undefined && ort.env.wasm) ort.env.wasm.numThreads = threads;
  if (wasmPaths !== undefined && ort.env.wasm) ort.env.wasm.wasmPaths = wasmPaths;
  const reason = await whyUnusable(ort, sessionOptions('wasm'));
  if (reason === undefined) return ort;
  const where = wasmPaths === undefined ? '(beside the bundle)' : JSON.stringify(wasmPaths);
  throw new UserError(
    `[engine-onnxruntime] the WebAssembly of onnxruntime-web does not start: wasmPaths=${where}. ${reason} `
      + `Serve ort-wasm-simd-threaded.asyncify.wasm of its folder dist, say where with wasmPaths, and load the page again.`,
  );
}

function sessionOptions(device: Device): OrtSessionOptions {
  return { executionProviders: [device], graphOptimizationLevel: 'all', logSeverityLevel: 4 };
}

/** ONNX Runtime compiled to WebAssembly, with or without WebGPU. */
export const webRuntime: Runtime = {
  name: 'onnxruntime-web',
  devices: DEVICES,
  async defaultDevice(options) {
    return (await whyUnusable(await startWeb(options), sessionOptions('webgpu'))) === undefined ? 'webgpu' : 'wasm';
  },
  load: (_device, options) => startWeb(options),
  mapFiles: undefined,
  sessionOptions,
  async report() {
    const ort = await startWeb({}).catch((error: unknown) => (error as Error).message);
    return Promise.all(
      DEVICES.map(async (device): Promise<DeviceReport> => {
        const reason = typeof ort === 'string' ? ort : await whyUnusable(ort, sessionOptions(device));
        return reason === undefined ? { device, available: true } : { device, available: false, reason };
      }),
    );
  },
};

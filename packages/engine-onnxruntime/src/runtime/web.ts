import type { Device } from '../engine/options.ts';
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

function sessionOptions(device: Device): OrtSessionOptions {
  return { executionProviders: [device], graphOptimizationLevel: 'all', logSeverityLevel: 4 };
}

/** ONNX Runtime compiled to WebAssembly, with or without WebGPU. */
export const webRuntime: Runtime = {
  name: 'onnxruntime-web',
  devices: DEVICES,
  async defaultDevice() {
    return (await whyUnusable(await importWeb(), sessionOptions('webgpu'))) === undefined ? 'webgpu' : 'wasm';
  },
  async load(_device, threads) {
    const ort = await importWeb();
    if (threads !== undefined && ort.env.wasm) ort.env.wasm.numThreads = threads;
    return ort;
  },
  mapFiles: undefined,
  sessionOptions,
  async report() {
    const ort = await importWeb().catch((error: unknown) => (error as Error).message);
    return Promise.all(
      DEVICES.map(async (device): Promise<DeviceReport> => {
        const reason = typeof ort === 'string' ? ort : await whyUnusable(ort, sessionOptions(device));
        return reason === undefined ? { device, available: true } : { device, available: false, reason };
      }),
    );
  },
};

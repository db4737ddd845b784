import { availableParallelism } from 'node:os';
import { dirname, relative, resolve, sep } from 'node:path';
import type { FileSlice } from '@langevin/tensor';
import { UserError } from '@langevin/tensor';
import type { Device } from '../engine/options.ts';
import { whyUnusable } from './adapter.ts';
import { importPeer } from './install.ts';
import { asOrt, type Ort, type OrtSessionOptions } from './ort.ts';
import { serialized } from './serialize.ts';
import type { DeviceReport, MappedFiles, Runtime } from './runtime.ts';

const DEVICES: readonly Device[] = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'wasm'];

type OrtModule = typeof import('onnxruntime-node');

interface OrtNode extends Ort {
  listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
}

function importNode(): Promise<OrtNode> {
  return importPeer('onnxruntime-node', async () => {
    const module: OrtModule & { readonly default?: OrtModule } = await import('onnxruntime-node');
    const ort = asOrt(module.default ?? module);
    // What the runtime would print, we throw. A level that the application has set stays.
    if (ort.env.logLevel === 'warning') ort.env.logLevel = 'fatal';
    return ort;
  });
}

/** ONNX Runtime's native binding. */
export const nodeRuntime: Runtime = {
  name: 'onnxruntime-node',
  devices: DEVICES,
  defaultDevice: () => Promise.resolve('cpu'),
  async load(device, { threads, wasmPaths }) {
    if (wasmPaths !== undefined)
      throw new UserError(`[engine-onnxruntime] wasmPaths is for pages: wasmPaths=${JSON.stringify(wasmPaths)}. Leave it out in Node.`);
    if (device === 'wasm') {
      const web = await importPeer('onnxruntime-web', async () => serialized(asOrt(await import('onnxruntime-web'))));
      if (web.env.logLevel === 'warning') web.env.logLevel = 'fatal';
      if (threads !== undefined && web.env.wasm) web.env.wasm.numThreads = threads;
      return web;
    }
    const ort = await importNode();
    const reason = missing(ort, device);
    if (reason !== undefined) throw new UserError(`[engine-onnxruntime] device is not available: device=${device}. ${reason}`);
    return ort;
  },
  mapFiles,
  sessionOptions(device, threads): OrtSessionOptions {
    return {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads ?? availableParallelism(),
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 4,
      // A plan of all allocations is made after the first run and takes memory of its own beside what that run took: almost twice the
      // peak, for no gain in time.
      enableMemPattern: false,
      // Threads spin while a run lasts, and not between runs, where the caller has work to do.
      extra: { session: { force_spinning_stop: '1' } },
    };
  },
  inThread: async (options) => (await import('../worker/thread-engine.ts')).threadEngine(options),
  async report() {
    let ort: OrtNode;
    try {
      ort = await importNode();
    } catch (error) {
      const reason = (error as Error).message;
      return DEVICES.map((device): DeviceReport => ({ device, available: false, reason }));
    }
    return Promise.all(DEVICES.map((device) => reportDevice(ort, device)));
  },
};

async function reportDevice(ort: OrtNode, device: Device): Promise<DeviceReport> {
  if (device === 'wasm') {
    return nodeRuntime.load('wasm', {}).then(
      () => ({ device, available: true }),
      (error: unknown) => ({ device, available: false, reason: (error as Error).message }),
    );
  }
  const reason =
    missing(ort, device) ?? (device === 'cpu' ? undefined : await whyUnusable(ort, nodeRuntime.sessionOptions(device, undefined)));
  return reason === undefined ? { device, available: true } : { device, available: false, reason };
}

function missing(ort: OrtNode, device: Device): string | undefined {
  const backends = ort.listSupportedBackends().map(({ name }) => name);
  if (backends.includes(device)) return undefined;
  const remedy =
    device === 'cuda' ? ' CUDA needs Linux x64 and the install script of onnxruntime-node (`npm rebuild onnxruntime-node`).' : '';
  return `This build of onnxruntime-node has ${backends.join(', ')}.${remedy}`;
}

/** A session takes one folder and looks for files below it, so we name the deepest folder that is above all of them. */
function mapFiles(slices: readonly FileSlice[]): MappedFiles {
  const paths = slices.map(({ path }) => resolve(path));
  let folder = dirname(paths[0]!);
  while (!paths.every((path) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep))) folder = dirname(folder);
  return {
    locate: ({ path, offset, byteLength }) => ({ location: relative(folder, resolve(path)), offset, byteLength }),
    sessionConfig: { model_external_initializers_file_folder_path: folder },
  };
}

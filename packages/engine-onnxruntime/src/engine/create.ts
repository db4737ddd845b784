import type { Engine } from '@langevin/tensor';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { whyUnusable } from '../runtime/adapter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { deviceEngine } from './device-engine.ts';
import { hostEngine } from './host-engine.ts';
import { probeChannelBlock } from './channel-block.ts';
import { probeStop } from './stop-output.ts';
import type { Device, EngineOptions } from './options.ts';

/** Devices that work wherever their package loads; of the others only a trial tells. */
const PROVED: ReadonlySet<Device> = new Set<Device>(['cpu', 'wasm']);

/** Make an engine on a runtime. */
export async function createEngine(runtime: Runtime, options: EngineOptions): Promise<Engine> {
  const device = options.device ?? (await runtime.defaultDevice(options));
  if (!runtime.devices.includes(device)) {
    throw new UserError(`[engine-onnxruntime] unknown device: device=${device}. Here it is one of ${runtime.devices.join(', ')}.`);
  }
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new UserError(`[engine-onnxruntime] threads is out of range: threads=${threads}. Give an integer in [1, 1024].`);
  }
  if (options.worker === 'thread') {
    if (!runtime.inThread)
      throw new UnsupportedError(
        "[engine-onnxruntime] worker threads are for Node: worker='thread'. In a browser, make the engine inside of a Worker.",
      );
    return runtime.inThread({ ...options, device, worker: 'inline' });
  }
  const ort = await runtime.load(device, options);
  const reason = PROVED.has(device) ? undefined : await whyUnusable(ort, runtime.sessionOptions(device, threads));
  if (reason !== undefined)
    throw new UnsupportedError(
      `[engine-onnxruntime] device is not available: device=${device}. ${reason} Use another device; availableDevices() lists them.`,
    );
  const channelBlock = device === 'cpu' ? await probeChannelBlock(ort) : 0;
  const stop = device === 'cpu' ? await probeStop(ort) : undefined;
  const context = { runtime, ort, device, options, channelBlock, stop };
  return device === 'webgpu' ? deviceEngine(context) : hostEngine(context);
}

import type { Engine } from '@langevin/tensor';
import { UserError } from '@langevin/tensor';
import type { Runtime } from '../runtime/runtime.ts';
import { hostEngine } from './host-engine.ts';
import { probeChannelBlock } from './channel-block.ts';
import type { EngineOptions } from './options.ts';

/** Make an engine on a runtime. */
export async function createEngine(runtime: Runtime, options: EngineOptions): Promise<Engine> {
  const device = options.device ?? (await runtime.defaultDevice());
  if (!runtime.devices.includes(device)) {
    throw new UserError(`[engine-onnxruntime] unknown device: device=${device}. Here it is one of ${runtime.devices.join(', ')}.`);
  }
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new UserError(`[engine-onnxruntime] threads is out of range: threads=${threads}. Give an integer in [1, 1024].`);
  }
  const ort = await runtime.load(device);
  const channelBlock = device === 'cpu' ? await probeChannelBlock(ort) : 0;
  return hostEngine({ runtime, ort, device, options, channelBlock });
}

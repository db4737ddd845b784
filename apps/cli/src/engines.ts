import { availableDevices, onnxruntimeEngine, type Device } from '@langevin/engine-onnxruntime';
import { availableBackends, tfjsEngine, type BackendName } from '@langevin/engine-tfjs';
import { didYouMean, UserError, type Engine } from '@langevin/tensor';
import type { Command } from 'commander';
import { integer } from './arguments.ts';
import { byName } from './by-name.ts';

export interface EngineOptions {
  readonly engine: string;
  readonly device?: string;
  readonly threads?: number;
}

/** One place to compute, and why it cannot be used where it cannot. */
export interface EngineReport {
  readonly engine: string;
  readonly device: string;
  readonly available: boolean;
  readonly reason?: string;
}

const ENGINES = { onnxruntime: openOnnxruntime, tfjs: openTfjs };

/** The options by which commands choose an engine. */
export function addEngineOptions(command: Command): Command {
  return command
    .option('--engine <name>', 'what computes: onnxruntime or tfjs', 'onnxruntime')
    .option('--device <name>', 'where it computes; "langevin list engines" shows what there is (default: the engine\'s own choice)')
    .option('--threads <n>', 'threads of ONNX Runtime on the CPU (default: all cores)', integer(1, 1024));
}

/** @throws UserError when the engine or device is unknown; UnsupportedError when it does not work here */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  return byName(options.engine, ENGINES, { part: 'engine', kind: 'engine' })(options);
}

/** Opens an engine for as long as the work lasts. Errors as {@link openEngine}. */
export async function withEngine<T>(options: EngineOptions, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine(options);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

async function openOnnxruntime({ device, threads }: EngineOptions): Promise<Engine> {
  if (device !== undefined) await checkDevice('onnxruntime', device);
  return onnxruntimeEngine({ ...(device !== undefined && { device: device as Device }), ...(threads !== undefined && { threads }) });
}

async function openTfjs({ device, threads }: EngineOptions): Promise<Engine> {
  if (threads !== undefined)
    throw new UserError(
      `[cli/engine] tfjs does not take a number of threads: --threads=${threads}. Leave it out, or use --engine onnxruntime.`,
    );
  if (device !== undefined) await checkDevice('tfjs', device);
  return tfjsEngine(device === undefined ? {} : { backend: device as BackendName });
}

async function checkDevice(engine: string, device: string): Promise<void> {
  const known = (await reportEngines()).filter((report) => report.engine === engine);
  const found = known.find((report) => report.device === device);
  const names = known.map((report) => report.device);
  if (!found)
    throw new UserError(`[cli/engine] unknown device of ${engine}: "${device}".${didYouMean(device, names)} Known: ${names.join(', ')}.`);
  if (!found.available)
    throw new UserError(
      `[cli/engine] device cannot be used here: --engine ${engine} --device ${device}, `
        + `${(found.reason ?? 'no reason given').replace(/\.$/, '')}. "langevin list engines" shows what can.`,
    );
}

/** Every engine and device that Langevin knows. */
export async function reportEngines(): Promise<readonly EngineReport[]> {
  const devices = await availableDevices();
  const backends = await availableBackends();
  return [
    ...devices.map((report) => ({ engine: 'onnxruntime', ...report })),
    ...backends.map(({ name, ...rest }) => ({
      engine: 'tfjs',
      device: name,
      available: rest.available,
      ...(rest.available ? {} : { reason: rest.reason }),
    })),
  ];
}

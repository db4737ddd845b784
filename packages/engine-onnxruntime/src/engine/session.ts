import type { Graph } from '@langevin/tensor';
import { fuseGraph } from '../fusion/fuse.ts';
import { lowerGraph } from '../lowering/lower-graph.ts';
import { encodeModel } from '../onnx/proto.ts';
import type { Ort, OrtSession, OrtSessionOptions } from '../runtime/ort.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { placeConstants } from './constants.ts';
import { explainRuntimeError } from './errors.ts';
import { optimizationConfig } from './optimizers.ts';
import type { Device, EngineOptions } from './options.ts';
import { isWorthStopping, withStop } from './stop-output.ts';

export interface CompiledSession {
  readonly session: OrtSession;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** See `withStop`: the message of its error, where the model has that output. */
  readonly stop: string | undefined;
}

/** Everything that compiling needs to know besides the graph. */
export interface SessionContext {
  readonly runtime: Runtime;
  readonly ort: Ort;
  readonly device: Device;
  readonly options: EngineOptions;
  /** See `probeChannelBlock`. */
  readonly channelBlock: number;
  /** See `probeStop`. */
  readonly stop?: string | undefined;
  /** More session options, which may depend on the names of the outputs. */
  readonly extraOptions?: (outputNames: readonly string[]) => OrtSessionOptions;
}

const ON_CPU: ReadonlySet<Device> = new Set<Device>(['cpu', 'wasm']);

/** Lower a graph, encode it and load it into ONNX Runtime. */
export async function createSession(graph: Graph, context: SessionContext): Promise<CompiledSession> {
  const { runtime, ort, device, options } = context;
  const constants = await placeConstants(graph, runtime);
  const { place } = constants;
  // Contrib kernels and our fusions are for the CPU; on other providers they would fall back to it, with copies both ways.
  const { model, inputNames, outputNames } = ON_CPU.has(device)
    ? lowerGraph(fuseGraph(graph), {
        contrib: 'allow',
        provider: device === 'wasm' ? 'wasm' : 'any',
        channelBlock: context.channelBlock,
        place,
      })
    : lowerGraph(graph, { contrib: 'never', provider: device === 'webgpu' ? 'webgpu' : 'any', place });
  const stop = isWorthStopping(graph) ? context.stop : undefined;
  const base = runtime.sessionOptions(device, options.threads);
  const config = {
    ...extraOf(base, 'session'),
    ...constants.sessionConfig,
    ...(options.weights === 'map' ? { disable_prepacking: '1' } : {}),
    ...extraOf(options.session, 'session'),
  };
  const optimization = optimizationConfig(extraOf(options.session, 'optimization'), constants.bytes);
  try {
    const session = await ort.InferenceSession.create(encodeModel(stop === undefined ? model : withStop(model)), {
      ...base,
      ...context.extraOptions?.(outputNames),
      ...(constants.externalData.length > 0 ? { externalData: constants.externalData } : {}),
      ...options.session,
      extra: { ...(options.session?.['extra'] as object | undefined), session: config, optimization },
    });
    return { session, inputNames, outputNames, stop };
  } catch (error) {
    throw explainRuntimeError(error, { graph, device, doing: 'compiling' });
  }
}

/** The runtime's keys that begin with a group's name, which it takes without that. */
function extraOf(options: OrtSessionOptions = {}, group: 'session' | 'optimization'): Readonly<Record<string, string>> {
  return (options['extra'] as Readonly<Record<string, Readonly<Record<string, string>>>> | undefined)?.[group] ?? {};
}

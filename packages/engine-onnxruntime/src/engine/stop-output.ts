import type { Graph } from '@langevin/tensor';
import { sizeOf } from '@langevin/tensor';
import { onnxTypes, type OnnxModel } from '../onnx/model.ts';
import { PROBE_MODEL } from '../onnx/probe-model.ts';
import { encodeModel } from '../onnx/proto.ts';
import type { Ort, OrtSession, OrtTensor } from '../runtime/ort.ts';

/**
 * onnxruntime-node copies every output of a run into fresh memory, those too that the run wrote into storage it was given. It converts
 * them in the model's order and throws at the first that it has no JavaScript form for, when all of them are written. So a model whose
 * outputs are large gets such a one, an empty sequence, as its first.
 */
export const STOP = 'stop';
/** An error costs as much as a copy of some tens of kilobytes. */
const WORTH_BYTES = 2 ** 20;

export function isWorthStopping(graph: Graph): boolean {
  const bytes = graph.outputs.map((value) => 4 * sizeOf(graph.values[value]!.shape));
  return bytes.reduce((a, b) => a + b, 0) >= WORTH_BYTES;
}

export function withStop(model: OnnxModel): OnnxModel {
  return {
    ...model,
    nodes: [...model.nodes, { name: STOP, op: 'SequenceEmpty', domain: '', inputs: [], outputs: [STOP], attributes: {} }],
    outputs: [{ name: STOP, type: onnxTypes.float32, shape: undefined, sequence: true }, ...model.outputs],
  };
}

/**
 * What the binding says when it stops there, or undefined if it does not stop, or stops before the outputs are written: then it is
 * another version than we know, and copies.
 */
export async function probeStop(ort: Ort): Promise<string | undefined> {
  const model = withStop(PROBE_MODEL);
  let session: OrtSession | undefined;
  const y = new ort.Tensor('float32', new Float32Array(1), [1]);
  try {
    session = await ort.InferenceSession.create(encodeModel(model), { executionProviders: ['cpu'], logSeverityLevel: 4 });
    await session.run({ x: new ort.Tensor('float32', Float32Array.of(-1), [1]) }, { y, [STOP]: null });
    return undefined;
  } catch (error) {
    return session && y.data[0] === 1 ? (error as Error).message : undefined;
  } finally {
    await session?.release();
  }
}

/** Run a session whose outputs all have storage and whose binding stops with this message. */
export async function runStopped(
  session: OrtSession,
  message: string,
  { feeds, fetches }: { readonly feeds: Readonly<Record<string, OrtTensor>>; readonly fetches: Readonly<Record<string, OrtTensor | null>> },
): Promise<void> {
  try {
    await session.run(feeds, { ...fetches, [STOP]: null });
  } catch (error) {
    if ((error as Error).message !== message) throw error;
  }
}

import { open } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import type { DType, Engine, EngineBuffer, Executable, FileSlice, Graph } from '@langevin/tensor';
import { errorKind, hostView, InternalError, isFileSlice } from '@langevin/tensor';
import { createEngine } from '../engine/create.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Answers, Handle, Request, RequestMessage, ResponseMessage } from './protocol.ts';

/** The inside of a worker thread: an engine, and tables of what the other side holds numbers for. */
let engine: Engine | undefined;
const buffers = new Map<Handle, EngineBuffer>();
const executables = new Map<Handle, Executable>();
let nextHandle = 1;

function keep<T>(table: Map<Handle, T>, value: T): Handle {
  const handle = nextHandle++;
  table.set(handle, value);
  return handle;
}

function find<T>(table: ReadonlyMap<Handle, T>, handle: Handle): T {
  const value = table.get(handle);
  if (value === undefined) throw new InternalError(`[engine-onnxruntime/worker] no such object: handle=${handle}.`);
  return value;
}

function running(): Engine {
  if (!engine) throw new InternalError('[engine-onnxruntime/worker] the engine was not started.');
  return engine;
}

async function answer(request: Request): Promise<Answers[keyof Answers]> {
  switch (request.kind) {
    case 'start':
      engine = await createEngine(nodeRuntime, request.options);
      return { device: engine.device, composites: [...engine.composites] };
    case 'compile':
      return keep(executables, await running().compile(withReaders(request.graph)));
    case 'run': {
      const outputs = request.outputs.map((handle) => (handle === undefined ? undefined : find(buffers, handle)));
      const results = await find(executables, request.executable).run(
        request.inputs.map((handle) => find(buffers, handle)),
        { outputs },
      );
      // Storage that was written into keeps its number; storage that was offered in vain is gone.
      return results.map((result, i) => {
        const offered = request.outputs[i];
        if (offered !== undefined && outputs[i] === result) return offered;
        if (offered !== undefined) buffers.delete(offered);
        return keep(buffers, result);
      });
    }
    case 'upload':
      return keep(buffers, await running().upload(request.data, request.info));
    case 'download':
      return running().download(find(buffers, request.buffer));
    case 'disposeBuffer':
      buffers.get(request.buffer)?.dispose();
      buffers.delete(request.buffer);
      return undefined;
    case 'disposeExecutable':
      await find(executables, request.executable).dispose();
      executables.delete(request.executable);
      return undefined;
    case 'stop':
      await engine?.dispose();
      parentPort!.close();
      return undefined;
  }
}

/** Functions do not travel between threads, so this side reads file slices by itself. */
function withReaders(graph: Graph): Graph {
  const constants = graph.constants.map(({ value, data }) =>
    isFileSlice(data) ? { value, data: { ...data, read: () => readSlice(data, graph.values[value]!.dtype) } } : { value, data },
  );
  return { ...graph, constants };
}

async function readSlice({ path, offset, byteLength }: FileSlice, dtype: DType) {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(byteLength), 0, byteLength, offset);
    return hostView(dtype, buffer);
  } finally {
    await file.close();
  }
}

parentPort!.on('message', ({ id, request }: RequestMessage) => {
  const post = (message: ResponseMessage, transfer: ArrayBuffer[] = []): void => parentPort!.postMessage(message, transfer);
  answer(request).then(
    // A download is a copy of ours, so it may leave without another one.
    (result) => post({ id, ok: true, answer: result }, ArrayBuffer.isView(result) ? [result.buffer as ArrayBuffer] : []),
    (error: unknown) =>
      post({ id, ok: false, error: { kind: errorKind(error), message: error instanceof Error ? error.message : String(error) } }),
  );
});

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { CompositeName, Engine, EngineBuffer, Executable, Graph, HostArray, Shape, DType, ValueInfo } from '@langevin/tensor';
import { InternalError, isFileSlice, isMappable, UnsupportedError, UserError } from '@langevin/tensor';
import type { EngineOptions } from '../engine/options.ts';
import { checkFits, foreignBuffer } from '../engine/fits.ts';
import type { Answers, ErrorParts, Handle, Request, ResponseMessage } from './protocol.ts';

/** The calling side of the connection to a worker. */
class Connection {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #failure: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: ResponseMessage) => this.#settle(message));
    worker.on('error', (error) =>
      this.#fail(new InternalError(`[engine-onnxruntime/worker] the thread failed: ${error.message}.`, { cause: error })),
    );
    worker.on('exit', () => this.#fail(new UserError('[engine-onnxruntime/worker] engine was disposed. Make another one.')));
    worker.unref();
  }

  ask<K extends Request['kind']>(request: Extract<Request, { readonly kind: K }>): Promise<Answers[K]> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    // A waiting caller keeps the process alive, an idle worker does not.
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    }) as Promise<Answers[K]>;
  }

  #settle(message: ResponseMessage): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (message.ok) waiting?.resolve(message.answer);
    else waiting?.reject(rebuilt(message.error));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const classes = { user: UserError, unsupported: UnsupportedError } as const;

function rebuilt({ kind, message }: ErrorParts): Error {
  if (kind === 'user' || kind === 'unsupported') return new classes[kind](message);
  return new InternalError(message.replace(/ This is a bug in Langevin; please report it\.$/, ''));
}

class RemoteBuffer implements EngineBuffer {
  readonly shape: Shape;
  readonly dtype: DType;
  #handle: Handle | undefined;
  readonly #free: (handle: Handle) => void;

  constructor({ shape, dtype }: ValueInfo, handle: Handle, free: (handle: Handle) => void) {
    this.shape = shape;
    this.dtype = dtype;
    this.#handle = handle;
    this.#free = free;
  }

  get handle(): Handle {
    if (this.#handle === undefined) throw new UserError('[engine-onnxruntime/worker] buffer was disposed. Keep it until its last use.');
    return this.#handle;
  }

  /** Its number now names another buffer. */
  forget(): void {
    this.#handle = undefined;
  }

  dispose(): void {
    if (this.#handle !== undefined) this.#free(this.#handle);
    this.#handle = undefined;
  }
}

/** An engine whose work is done in a worker thread, so that the caller's event loop stays free. */
export async function threadEngine(options: EngineOptions): Promise<Engine> {
  const connection = new Connection(new Worker(entryFile()));
  const { device, composites } = await connection.ask({ kind: 'start', options });
  const free = (buffer: Handle): void => void connection.ask({ kind: 'disposeBuffer', buffer }).catch(() => undefined);
  const forgotten = new FinalizationRegistry<Handle>(free);
  const abandoned = new FinalizationRegistry<Handle>((executable) => {
    connection.ask({ kind: 'disposeExecutable', executable }).catch(() => undefined);
  });
  const hold = (info: ValueInfo, handle: Handle): RemoteBuffer => {
    const buffer = new RemoteBuffer(info, handle, (freed) => {
      forgotten.unregister(buffer);
      free(freed);
    });
    forgotten.register(buffer, handle, buffer);
    return buffer;
  };
  return {
    name: 'onnxruntime',
    device,
    composites: new Set(composites as CompositeName[]),
    async compile(graph): Promise<Executable> {
      const executable = await connection.ask({ kind: 'compile', graph: await portable(graph) });
      const outputs = graph.outputs.map((value) => graph.values[value]!);
      const remoteExecutable: Executable = {
        async run(inputs, { outputs: offered = [] } = {}) {
          const given = offered.map((buffer, i) => buffer && remote(checkFits(buffer, outputs[i]!, { role: 'output', index: i })));
          const handles = await connection.ask({
            kind: 'run',
            executable,
            inputs: inputs.map(
              (buffer, i) => remote(checkFits(buffer, graph.values[graph.inputs[i]!]!, { role: 'input', index: i })).handle,
            ),
            outputs: given.map((buffer) => buffer?.handle),
          });
          return handles.map((handle, i) => {
            const reused = given[i];
            if (reused?.handle === handle) return reused;
            if (reused) {
              forgotten.unregister(reused);
              reused.forget();
            }
            return hold(outputs[i]!, handle);
          });
        },
        dispose: () => {
          abandoned.unregister(remoteExecutable);
          return connection.ask({ kind: 'disposeExecutable', executable });
        },
      };
      abandoned.register(remoteExecutable, executable, remoteExecutable);
      return remoteExecutable;
    },
    upload: async (data, { shape, dtype }) =>
      hold({ shape, dtype }, await connection.ask({ kind: 'upload', data: compact(data), info: { shape, dtype } })),
    download: (buffer): Promise<HostArray> => connection.ask({ kind: 'download', buffer: remote(buffer).handle }),
    dispose: () => connection.ask({ kind: 'stop' }).catch(() => undefined),
  };
}

function remote(buffer: EngineBuffer): RemoteBuffer {
  if (buffer instanceof RemoteBuffer) return buffer;
  throw foreignBuffer(buffer);
}

/** A graph without functions and with plain shapes: what structured cloning can carry. */
async function portable(graph: Graph): Promise<Graph> {
  const constants = await Promise.all(
    graph.constants.map(async ({ value, data }) => {
      if (isMappable(data)) return { value, data: { path: data.path, offset: data.offset, byteLength: data.byteLength } as typeof data };
      // What has to be decoded is decoded here: functions do not travel.
      return { value, data: isFileSlice(data) ? await data.read() : compact(data) };
    }),
  );
  const { inputs, nodes, outputs, key } = graph;
  return { values: graph.values.map(({ shape, dtype }) => ({ shape, dtype })), inputs, constants, nodes, outputs, key };
}

/** Cloning a view copies all of the buffer behind it. */
function compact<T extends HostArray>(data: T): T {
  return data.byteLength === data.buffer.byteLength || data.buffer instanceof SharedArrayBuffer ? data : (data.slice() as T);
}

function entryFile(): string {
  const file = fileURLToPath(new URL('./entry.js', import.meta.url));
  if (existsSync(file)) return file;
  throw new UnsupportedError(
    `[engine-onnxruntime/worker] the worker runs compiled code: ${file} is missing. Build this package (npm run build) to use `
      + `worker='thread' from source.`,
  );
}

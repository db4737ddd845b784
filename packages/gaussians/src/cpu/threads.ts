import { InternalError, UnsupportedError } from '@langevin/tensor';
import type { Trace } from '../trace.ts';
import { AWAITED, FREE, JOB, JOB_WORDS, KIND, KINDS, NEXT, OPEN, PIECES, SERIAL, STATE, type Job } from './layout.ts';
import { KERNELS } from './kernels.generated.ts';
import { canShare, sharedMemory, startWorker, webAssembly, type WasmMemory, type WorkerHandle } from './platform.ts';

/** The exports of assembly/index.ts. */
interface Kernels {
  readonly work: (thread: number) => void;
  readonly jobAddress: () => number;
  readonly heapBase: () => number;
}

/**
 * All that a worker does: it lives in the kernels' `serve`, and speaks when somebody waits for it. A page does not hear of a rejected
 * promise in a worker, so failures are sent as well.
 */
const WORKER = `
const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
const send = (value) => (node ? node.parentPort.postMessage(value) : postMessage(value));
const start = async ({ module, memory, thread, seen }) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  send('ready');
  for (let serial = seen; (serial = exports.serve(thread, serial)) >= 0; ) send('left');
  if (node) process.exit(); else close();
};
const begin = (data) => void start(data).catch((cause) => send({ failed: String(cause?.stack ?? cause) }));
if (node) node.parentPort.once('message', begin); else onmessage = ({ data }) => begin(data);
`;

const WORKER_FAILED = '[gaussians/cpu] a worker failed: see the cause. Pass threads: 1 where workers are not allowed.';

/** A job for all threads. */
export interface Run {
  readonly kind: (typeof KINDS)[number];
  readonly job: Job;
  /** How many pieces it has. */
  readonly pieces: number;
  /** The first piece to do. @default 0 */
  readonly from?: number;
  /** What the caller's thread does before it helps. */
  readonly meanwhile?: () => void;
}

/**
 * How long the caller's thread looks whether the others are done, before it lets others have it: waking takes longer than most wait. In ms.
 */
const PATIENCE = 0.3;

/** The kernels over one memory, and the threads that run them. */
export interface Threads {
  /** How many work, the caller's included. */
  readonly count: number;
  readonly memory: WasmMemory;
  readonly trace: Trace | undefined;
  /** Runs a job on all threads, which take its pieces one by one. */
  readonly run: (run: Run) => Promise<void>;
  /** Lets the others know that a job is about to come, so that they are awake when it does. */
  readonly wake: () => void;
  readonly dispose: () => void;
}

/** Makes `count` threads, or one where memory cannot be shared. */
export async function startThreads(count: number, trace?: Trace): Promise<Threads> {
  const wasm = webAssembly();
  const memory = sharedMemory();
  const module = await wasm.compile(Uint8Array.from(atob(KERNELS), (character) => character.charCodeAt(0)));
  const kernels = (await wasm.instantiate(module, { env: { memory } })).exports as Kernels;
  if (kernels.jobAddress() !== 4 * JOB)
    throw new InternalError(`[gaussians/cpu] kernels and caller disagree on where a job lies: ${kernels.jobAddress()} and ${4 * JOB}.`);
  if (kernels.heapBase() > FREE)
    throw new InternalError(`[gaussians/cpu] the compiler's tables reach into the renderings: ${kernels.heapBase()} > ${FREE}.`);
  // The words at the start of the memory stay where they are when it grows.
  const words = new Int32Array(memory.buffer, 0, JOB + JOB_WORDS.length);
  const others = canShare() ? count - 1 : 0;

  let waiting: { readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined;
  const failure: { cause?: unknown } = {};
  const settle = (act: (waiter: NonNullable<typeof waiting>) => void): void => {
    const waiter = waiting;
    waiting = undefined;
    if (waiter !== undefined) act(waiter);
  };
  const fail = (cause: unknown): void => {
    failure.cause ??= cause;
    settle(({ reject }) => reject(new UnsupportedError(WORKER_FAILED, { cause })));
  };
  const workers: WorkerHandle[] = [];
  for (let i = 0; i < others; i++) {
    const worker = startWorker(WORKER, {
      message: (value) => {
        if (value === 'left') settle(({ resolve }) => resolve());
        else if (typeof value === 'object' && value !== null && 'failed' in value) fail(value.failed);
      },
      error: fail,
    });
    worker.start({ module, memory, thread: i + 1, seen: 0 });
    workers.push(worker);
  }

  /** Closes the job to those who come late, and waits for those who are still at it. */
  const finish = async (): Promise<void> => {
    Atomics.and(words, STATE, ~OPEN);
    const until = performance.now() + PATIENCE;
    do {
      for (let look = 0; look < 200; look++) if (Atomics.load(words, STATE) === 0) return;
    } while (performance.now() < until);
    const left = new Promise<void>((resolve, reject) => (waiting = { resolve, reject }));
    if (Atomics.or(words, STATE, AWAITED) === 0) {
      waiting = undefined;
      return;
    }
    for (const worker of workers) worker.hold(true);
    try {
      await left;
    } finally {
      for (const worker of workers) worker.hold(false);
    }
  };

  /** Counts one further, for those who wait for that. */
  const call = (): void => {
    // Never negative, which would end them.
    Atomics.store(words, SERIAL, (Atomics.load(words, SERIAL) + 1) & 0x7fff_ffff);
    Atomics.notify(words, SERIAL);
  };

  return {
    count: 1 + others,
    memory,
    trace,
    run: async ({ kind, job, pieces, from = 0, meanwhile }) => {
      if ('cause' in failure) throw new UnsupportedError(WORKER_FAILED, { cause: failure.cause });
      JOB_WORDS.forEach((name, i) => (words[JOB + i] = job[name]));
      words[KIND] = KINDS.indexOf(kind);
      words[PIECES] = pieces;
      Atomics.store(words, NEXT, from);
      // Not worth waking anybody for a single piece, unless there is something else to do.
      const shared = others > 0 && (pieces - from > 1 || meanwhile !== undefined);
      if (shared) {
        Atomics.store(words, STATE, OPEN);
        call();
      }
      meanwhile?.();
      kernels.work(0);
      if (shared) await finish();
    },
    wake: call,
    dispose: () => {
      Atomics.store(words, SERIAL, -1);
      Atomics.notify(words, SERIAL);
      for (const worker of workers) worker.terminate();
    },
  };
}

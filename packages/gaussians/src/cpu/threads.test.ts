import { Worker } from 'node:worker_threads';
import { UnsupportedError } from '@langevin/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { NO_JOB } from './draw.ts';
import { OPEN, SERIAL, STATE } from './layout.ts';
import type { Threads } from './threads.ts';

/** What is put in place of a worker's part in the work. */
let fault = '';
vi.mock(import('./platform.ts'), async (importOriginal) => {
  const platform = await importOriginal();
  return {
    ...platform,
    startWorker: (code: string, on: Parameters<typeof platform.startWorker>[1]) =>
      platform.startWorker(code.replace('exports.serve(thread, serial)', fault), on),
  };
});
const { startThreads } = await import('./threads.ts');

/** A word that nobody uses. */
const BEGUN = 15;
/** Dies as soon as it has joined the first job, as a kernel that traps does. */
const TRAP =
  `(() => { const words = new Int32Array(memory.buffer); Atomics.store(words, ${BEGUN}, 1); Atomics.wait(words, ${SERIAL}, serial); `
  + `Atomics.add(words, ${STATE}, 1); throw new Error('a kernel trapped'); })()`;

const { getBuiltinModule } = process;
let threads: Threads | undefined;
afterEach(() => {
  process.getBuiltinModule = getBuiltinModule;
  threads?.dispose();
  threads = undefined;
  vi.unstubAllGlobals();
});

/** A job that is closed when the worker has joined it. */
async function joinedJob({ memory, run }: Threads): Promise<void> {
  const words = new Int32Array(memory.buffer);
  await vi.waitFor(() => expect(Atomics.load(words, BEGUN)).toBe(1), { timeout: 20_000, interval: 5 });
  const until = performance.now() + 10_000;
  await run({
    kind: 'adam',
    job: NO_JOB,
    pieces: 2,
    meanwhile: () => {
      while (Atomics.load(words, STATE) === OPEN && performance.now() < until);
    },
  });
}

/** The classes of a page, by those of Node: what a worker sends is an event's data, and nobody hears of a promise that it rejects. */
function stubPage(): void {
  const codes = new Map<string, Blob>();
  process.getBuiltinModule = undefined as unknown as typeof getBuiltinModule;
  vi.stubGlobal('URL', { createObjectURL: (blob: Blob) => (codes.set('blob:1', blob), 'blob:1'), revokeObjectURL: () => {} });
  vi.stubGlobal(
    'Worker',
    class {
      onmessage: ((event: { readonly data: unknown }) => void) | null = null;
      readonly inner: Promise<Worker>;

      constructor(url: string) {
        const page =
          "const { parentPort } = process.getBuiltinModule('node:worker_threads'); process.getBuiltinModule = undefined; "
          + "process.on('unhandledRejection', () => {}); var onmessage; globalThis.postMessage = (data) => "
          + "parentPort.postMessage(data); globalThis.close = () => process.exit(); parentPort.on('message', (data) => onmessage({ "
          + 'data }));';
        this.inner = codes
          .get(url)!
          .text()
          .then((code) => {
            const worker = new Worker(`${page}\n${code}`, { eval: true });
            worker.on('message', (data: unknown) => this.onmessage?.({ data }));
            return worker;
          });
      }

      postMessage(message: object): void {
        void this.inner.then((worker) => worker.postMessage(message));
      }

      terminate(): void {
        void this.inner.then((worker) => worker.terminate());
      }
    },
  );
}

describe.for(['Node', 'a page'] as const)('a worker that fails in %s', (where) => {
  const start = async (): Promise<Threads> => {
    if (where === 'a page') stubPage();
    return startThreads(2);
  };

  test('ends the job that waits for it with its cause, and all later ones', async () => {
    fault = TRAP;
    threads = await start();
    const failed = await joinedJob(threads).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(UnsupportedError);
    expect((failed as Error).message).toBe(
      '[gaussians/cpu] a worker failed: see the cause. Pass threads: 1 where workers are not allowed.',
    );
    expect(String((failed as Error).cause)).toContain('a kernel trapped');
    await expect(threads.run({ kind: 'adam', job: NO_JOB, pieces: 2 })).rejects.toThrow('a worker failed');
  });

  test('is heard of before it has joined anything', async () => {
    fault = "(() => { throw new Error('no start') })()";
    threads = await start();
    await vi.waitFor(() => expect(threads!.run({ kind: 'adam', job: NO_JOB, pieces: 2 })).rejects.toThrow('a worker failed'), {
      timeout: 10_000,
      interval: 20,
    });
  });
});

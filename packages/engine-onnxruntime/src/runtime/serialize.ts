import type { Ort, OrtSession } from './ort.ts';

/** Runs tasks one after another. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();

  add<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** What the runtime would print of a run that fails, the engine throws. */
const SILENT = { logSeverityLevel: 4 } as const;

/**
 * The same runtime with one call at a time: WebAssembly must not be entered while it waits for the device, nor be initialised by two
 * callers at once.
 */
export function serialized(ort: Ort): Ort {
  const queue = new Queue();
  const wrap = (session: OrtSession): OrtSession => ({
    run: (feeds, fetches) => queue.add(() => session.run(feeds, fetches, SILENT)),
    release: () => queue.add(() => session.release()),
  });
  return {
    InferenceSession: { create: (model, options) => queue.add(async () => wrap(await ort.InferenceSession.create(model, options))) },
    Tensor: ort.Tensor,
    env: ort.env,
  };
}

import { InternalError } from '@langevin/tensor';
import { memoryStore } from '../store.ts';
import type { Task } from '../task.ts';
import { train } from '../train.ts';

export interface CheckTaskOptions {
  /** Steps of the run, >= 3: enough that streams come round and batches of every shape are seen. @default 6 */
  readonly steps?: number;
  /** @default 2 */
  readonly checkpointEvery?: number;
}

/**
 * Holds a task to the contract of the loop: a run that ends without warning after any of its events, and is resumed by a task made anew,
 * leaves the same bytes as one that nothing happened to: checkpoints, logs and artifacts, timings apart.
 *
 * @param make a fresh task, as another process would make it
 * @throws InternalError naming the file that differs and the event after which the run ended
 * @example
 * await checkTask(() => defineTask({
 *   name: 'walk', config: {}, seed: 1, init: () => ({ x: 0 }),
 *   step: async ({ x }: { readonly x: number }, at) => {
 *     const next = x + at.random('walk').normal(1)[0]!;
 *     return { state: { x: next }, losses: { distance: Math.abs(next) } };
 *   },
 * }));
 */
export async function checkTask<State>(
  make: () => Task<State> | Promise<Task<State>>,
  { steps = 6, checkpointEvery = 2 }: CheckTaskOptions = {},
): Promise<void> {
  const options = { steps, checkpointEvery, logEvery: 1, evaluateEvery: checkpointEvery, keep: 2 };
  const whole = memoryStore('uninterrupted');
  let events = 0;
  for await (const _ of train(await make(), { ...options, store: whole })) events += 1;
  for (let end = 1; end < events; end += 1) {
    const store = memoryStore('interrupted');
    let seen = 0;
    let after = '';
    for await (const { kind, step } of train(await make(), { ...options, store })) {
      seen += 1;
      after = `${kind} of step ${step}`;
      if (seen === end) break;
    }
    for await (const _ of train(await make(), { ...options, store, start: 'resume' }));
    compare(whole.files, store.files, after);
  }
}

function compare(whole: ReadonlyMap<string, Uint8Array>, other: ReadonlyMap<string, Uint8Array>, after: string): void {
  const fail = (what: string): never => {
    throw new InternalError(`[training/testing] a run that ended after ${after} and was resumed differs: ${what}.`);
  };
  for (const path of new Set([...whole.keys(), ...other.keys()])) {
    if (path === 'timings.jsonl') continue;
    const [a, b] = [whole.get(path), other.get(path)];
    if (a === undefined || b === undefined) fail(`${path} is only in ${a === undefined ? 'it' : 'the other'}`);
    else if (a.length !== b.length || a.some((byte, i) => byte !== b[i])) fail(`bytes of ${path}`);
  }
}

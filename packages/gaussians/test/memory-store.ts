import type { CheckpointStore, StoredState } from '@langevin/gaussians';

/** Checkpoints in memory. */
export function memoryStore(): CheckpointStore & { readonly kept: Map<number, StoredState> } {
  const kept = new Map<number, StoredState>();
  return {
    kept,
    newest: () => Promise.resolve([...kept].map(([step, stored]) => ({ stored, from: `memory:${step}` })).at(-1)),
    save: (step, stored) => {
      kept.set(step, structuredClone(stored));
      return Promise.resolve(`memory:${step}`);
    },
  };
}

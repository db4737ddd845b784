import type { Rasterizer } from '../rasterizer.ts';

const turns = new WeakMap<Rasterizer, Promise<unknown>>();

/**
 * One training step of a rasterizer after another: what a photometric step gives is there until the next one, so that several trainings may
 * share a rasterizer.
 */
export function inTurn<T>(rasterizer: Rasterizer, step: () => Promise<T>): Promise<T> {
  const turn = (turns.get(rasterizer) ?? Promise.resolve()).then(step);
  turns.set(
    rasterizer,
    turn.catch(() => {}),
  );
  return turn;
}

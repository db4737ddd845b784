import { setImmediate } from 'node:timers/promises';
import { UserError } from '@langevin/tensor';
import type { Terminal } from './terminal.ts';

/** How far a command had come when it was stopped, such as `frames done=3 of 48`. */
export type HowFar = () => string;

/**
 * A place where a long command lets the user end it: what it has in hand is then given up, and nothing is written.
 *
 * Signals are heard between turns of the event loop only. Work whose promises are all kept at once, as of a rasterizer that is done before
 * anybody waits, never gets there by itself.
 *
 * @throws UserError when the user wants it to end
 */
export async function stopHere({ signal }: Terminal, howFar: HowFar): Promise<void> {
  await setImmediate();
  if (signal.aborted)
    throw new UserError(`[cli/stop] stopped before the end: ${howFar()}. Nothing was written; run the command again to begin anew.`);
}

/** Pieces that come while the user does not want the command to end. @throws UserError when they do */
export async function* stoppable<T>(pieces: AsyncIterable<T> | Iterable<T>, terminal: Terminal, howFar: HowFar): AsyncGenerator<T, void> {
  for await (const piece of pieces) {
    await stopHere(terminal, howFar);
    yield piece;
  }
  await stopHere(terminal, howFar);
}

import { box, byId, setText } from './elements.ts';

/** What the first moments of the page wait for, each counted when it is there. */
export interface Loading {
  /** Something is there, whether it worked or not: what went wrong is told elsewhere. */
  readonly until: <T>(what: string, ready: Promise<T>) => Promise<T>;
}

/**
 * Says over the empty stage what is being loaded and how much of it is there. index.html shows it before any script runs, with the script
 * itself as the first thing that is waited for.
 */
export function createLoading(): Loading {
  const bar = byId('loading-bar', HTMLProgressElement);
  const waiting = new Set<string>();
  let done = 1;
  const show = (): void => {
    bar.max = done + waiting.size;
    bar.value = done;
    box('loading').hidden = waiting.size === 0;
    setText('loading-text', `Loading ${[...waiting].join(' and ')} …`);
  };
  return {
    until: async (what, ready) => {
      waiting.add(what);
      show();
      try {
        return await ready;
      } finally {
        waiting.delete(what);
        done++;
        show();
      }
    },
  };
}

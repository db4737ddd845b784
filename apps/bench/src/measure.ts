/** One contestant of a comparison: runs its work once and says how long it took. */
export interface Contestant {
  readonly name: string;
  /** Milliseconds of one run. */
  run(): Promise<number>;
}

export interface Measurement {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

export interface MeasureOptions {
  /** Rounds that count. */
  readonly rounds: number;
  /** Rounds before, not counted: compilation, caches, allocators. @default 2 */
  readonly warmup?: number;
}

/** Run contestants in turn, A B C A B C ..., so that a drift of the machine's speed hits them alike; medians. */
export async function interleave(contestants: readonly Contestant[], options: MeasureOptions): Promise<Measurement[]> {
  const { rounds, warmup = 2 } = options;
  const times = contestants.map((): number[] => []);
  for (let round = -warmup; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const ms = await contestant.run();
      if (round >= 0) times[i]!.push(ms);
    }
  }
  return contestants.map(({ name }, i) => {
    const sorted = times[i]!.sort((a, b) => a - b);
    return { name, medianMs: sorted[sorted.length >> 1]!, minMs: sorted[0]!, maxMs: sorted.at(-1)!, runs: sorted.length };
  });
}

/** A contestant in this process. */
export function local(name: string, work: () => Promise<unknown>): Contestant {
  return {
    name,
    run: async () => {
      const start = performance.now();
      await work();
      return performance.now() - start;
    },
  };
}

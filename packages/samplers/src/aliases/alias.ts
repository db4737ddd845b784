/** What a name of another program stands for here: a solver, with options, and what that program ties to it. */
export interface SamplerAlias {
  /** A name of the registry `samplers`. */
  readonly sampler: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * `drop-penultimate`: the program asks its schedule for one step more and leaves out the last level but one, for methods that would
   * look between it and zero.
   */
  readonly grid?: 'drop-penultimate';
  /** `brownian-tree`: the program draws this sampler's noise from a Brownian path, so that it changes little with the number of steps. */
  readonly noise?: 'brownian-tree';
  /** How it differs from what that program does, where it does. */
  readonly note?: string;
}

/** What a name of another program's schedule stands for: a name of the registry `spacings`, with options. */
export interface SpacingAlias {
  readonly spacing: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

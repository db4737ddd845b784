/** How far a part is. */
export interface FetchProgress {
  /** Its name. */
  readonly part: string;
  /** Bytes that are here, of a previous attempt included. */
  readonly done: number;
  readonly total: number;
}

export interface FetchOptions {
  /** Where fetched data lies. @default `LANGEVIN_CACHE`, else `~/.cache/langevin` */
  readonly cache?: string;
  /** `offline` uses what is in the cache and fails for the rest. @default 'online' */
  readonly network?: 'online' | 'offline';
  /** Ends the work; a file goes on from there the next time, a package begins anew. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Attempts after the first that failed for a reason that may pass. @default 4 */
  readonly retries?: number;
  /** Milliseconds before the first of them; each later one waits twice as long, 30 seconds at most. @default 500 */
  readonly backoff?: number;
}

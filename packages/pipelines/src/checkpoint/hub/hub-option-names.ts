import type { HubOptions } from './hub-options.ts';

/** Every option, or the compiler complains. */
export const HUB_OPTIONS = Object.keys({
  revision: 0,
  endpoint: 0,
  token: 0,
  cache: 0,
  network: 0,
  env: 0,
  signal: 0,
  onProgress: 0,
  retries: 0,
  backoff: 0,
} satisfies Record<keyof HubOptions, 0>);

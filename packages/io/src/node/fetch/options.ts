import { UserError } from '@langevin/tensor';
import type { FetchOptions } from '../../sources/fetch-options.ts';
import { cacheFolder } from './cache-folder.ts';

/** Options with their defaults. @throws UserError when one is out of range */
export function resolveFetch(options: FetchOptions): Required<Omit<FetchOptions, 'signal'>> & Pick<FetchOptions, 'signal'> {
  const { cache = cacheFolder(), network = 'online', signal, onProgress = () => {}, retries = 4, backoff = 500 } = options;
  for (const [name, value, most] of [
    ['retries', retries, 20],
    ['backoff', backoff, 60_000],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 0 || value > most)
      throw new UserError(`[io/fetch] option is out of range: ${name}=${value}. Give an integer from 0 to ${most}.`);
  }
  if (cache.trim() === '' || cache.includes('\0'))
    throw new UserError(`[io/fetch] cache is no folder: cache=${JSON.stringify(cache)}. Give the path of a folder.`);
  return { cache, network, ...(signal && { signal }), onProgress, retries, backoff };
}

/** Which errors of the network another attempt may not meet. */
const PASSING = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'ENETUNREACH', 'EHOSTUNREACH'],
  ...['ENETDOWN', 'ERR_SOCKET_TIMEOUT', 'ERR_STREAM_PREMATURE_CLOSE', 'ENOTCACHED', 'FETCH_ERROR', 'ERR_SSL_WRONG_VERSION_NUMBER'],
]);

export function isNetworkError(error: unknown): boolean {
  const { code, type } = (typeof error === 'object' && error !== null ? error : {}) as { readonly code?: string; readonly type?: string };
  return PASSING.has(code ?? '') || PASSING.has((type ?? '').toUpperCase().replaceAll('-', '_'));
}

/** What is wrong, for a message. */
export function reasonOf(error: unknown): string {
  const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly code?: string;
    readonly message?: string;
  };
  // The message of a host with several addresses is empty.
  return [...new Set([code, message?.split('\n')[0]])].filter((text) => text !== undefined && text !== '').join(', ') || String(error);
}

export function stopped(part: string, kept: string): UserError {
  return new UserError(`[io/fetch] stopped before the end: part=${part}. ${kept}`);
}

export function missingOffline(part: string, cache: string): UserError {
  return new UserError(
    `[io/fetch] part is not in the cache, and the network is not to be used: part=${part}, cache=${JSON.stringify(cache)}. `
      + 'Fetch it once while online.',
  );
}

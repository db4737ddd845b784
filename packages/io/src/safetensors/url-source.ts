import { readOptions, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import { checkFunctions } from '../given.ts';
import type { ByteSource } from './byte-source.ts';

export interface UrlSourceOptions {
  /** @default the platform's own */
  readonly fetch?: typeof globalThis.fetch;
  /** Sent with each request: a token, say. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * A file on a server that answers range requests (RFC 9110, section 14): only what is read is transferred. A server that changes the file
 * in between is noticed by its size.
 *
 * @throws UserError when the server does not answer, or has no such file; UnsupportedError when it sends whole files only
 * @example
 * // not run: needs a server
 * const reader = await readSafetensorsSource(await urlSource('https://models.example/unet/diffusion_pytorch_model.safetensors'));
 */
export async function urlSource(url: string, options: UrlSourceOptions = {}): Promise<ByteSource> {
  if (typeof url !== 'string' || url === '') throw new UserError(`[io/read] this is no URL: url=${shownValue(url)}. Give one as text.`);
  const { fetch = globalThis.fetch, headers = {}, signal } = readOptions('io/read', options, ['fetch', 'headers', 'signal']);
  checkFunctions({ fetch }, '[io/read]');
  const range = async (from: number, length: number): Promise<{ readonly bytes: Uint8Array; readonly total: number }> => {
    const response = await fetch(url, {
      headers: { ...headers, range: `bytes=${from}-${from + length - 1}` },
      ...(signal && { signal }),
    }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw new UserError(`[io/read] server does not answer: url=${url}. Check the address, and whether it allows other pages.`, { cause });
    });
    // An empty file has no range; its size is behind the slash all the same.
    const total = Number(/\/(\d+)$/u.exec(response.headers.get('content-range') ?? '')?.[1] ?? NaN);
    if (response.status === 416 && total === 0) return { bytes: new Uint8Array(0), total };
    if (response.status === 200) {
      await response.body?.cancel();
      throw new UnsupportedError(
        `[io/read] server sends whole files only: url=${url}. Use one that answers range requests, or fetch a Blob.`,
      );
    }
    if (response.status !== 206 || !Number.isSafeInteger(total)) {
      await response.body?.cancel();
      throw new UserError(`[io/read] server does not give the file: url=${url}, status=${response.status}. Check the address.`);
    }
    return { bytes: new Uint8Array(await response.arrayBuffer()), total };
  };
  const { total: byteLength } = await range(0, 1);
  return {
    label: url,
    byteLength,
    read: async (offset, length) => {
      if (length === 0) return new Uint8Array(0);
      const { bytes, total } = await range(offset, length);
      if (total !== byteLength || bytes.byteLength > length)
        throw new UserError(`[io/read] file changed on its server: url=${url}, size=${total}, before=${byteLength}. Open it again.`);
      return bytes;
    },
    close: () => Promise.resolve(),
  };
}

import { UserError } from '@langevin/tensor';

/** Deflate makes at most 1032 bytes of one (zlib, "Maximum Compression Factor"): what claims more is no gzip file. */
export const MAX_DEFLATE_RATIO = 1032;

/**
 * Inflate gzip data as it is asked for; who stops asking stops the work, so that a bomb costs no more than what was taken of it.
 *
 * @throws {UserError} while iterating, when the data is damaged or cut off
 */
export async function* gunzip(pieces: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array, void> {
  const { readable, writable } = new DecompressionStream('gzip');
  const pump = pumpInto(writable, pieces);
  const reader = readable.getReader();
  reader.closed.catch(ignore); // reported by read()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(async (cause: unknown) => {
        // A source that cannot be read has its own message; the rest is damage.
        const failure = await pump;
        throw failure instanceof Error
          ? failure
          : new UserError(
              `[io/splats] ${label} is damaged: it cannot be inflated (${String((cause as Error).message)}). Download or save it again.`,
              { cause },
            );
      });
      if (done) break;
      yield value as Uint8Array;
    }
  } finally {
    reader.cancel().catch(ignore);
  }
}

/** Gzip pieces as they come. */
export async function* gzip(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const { readable, writable } = new CompressionStream('gzip');
  const pump = pumpInto(writable, pieces);
  const reader = readable.getReader();
  reader.closed.catch(ignore);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(async (cause: unknown) => {
        throw (await pump) ?? cause;
      });
      if (done) break;
      yield value as Uint8Array;
    }
  } finally {
    reader.cancel().catch(ignore);
  }
}

/** Resolves, never rejects: with what the pieces threw, or with undefined when they ended or the stream was stopped. */
async function pumpInto(writable: WritableStream, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<unknown> {
  const writer = writable.getWriter();
  writer.closed.catch(ignore);
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  for (;;) {
    let step: IteratorResult<Uint8Array>;
    try {
      step = await iterator.next();
    } catch (error) {
      writer.abort(error).catch(ignore);
      return error;
    }
    try {
      if (step.done === true) {
        await writer.close();
        return undefined;
      }
      await writer.write(step.value);
    } catch {
      return undefined; // the reading side knows why
    }
  }
}

function ignore(): void {
  // The same failure is reported where the data is read.
}

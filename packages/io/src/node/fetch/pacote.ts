import { createRequire } from 'node:module';
import { importOptional } from '../optional-package.ts';

/** A stream of npm's, which tells errors to whoever listens, also after it was read. */
export interface PackageStream extends AsyncIterable<Uint8Array> {
  readonly on: (event: 'error', listener: (error: Error) => void) => unknown;
}

/** What of npm's `pacote` is used; its own types are for another version. */
export interface Pacote {
  readonly tarball: {
    readonly stream: (
      spec: string,
      handler: (stream: PackageStream) => Promise<void>,
      options: Readonly<Record<string, unknown>>,
    ) => Promise<void>;
  };
  readonly extract: (spec: string, folder: string, options: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

/** @throws UnsupportedError when it is not installed */
export async function importPacote(): Promise<Pacote> {
  // CommonJS without types of its own.
  return importOptional('pacote', 'fetch', async () => createRequire(import.meta.url)('pacote') as Pacote);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { run } from '../src/run.ts';

/** A folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Run the command line in this process and keep what it wrote. */
export async function cli(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
    /** Hears what is written for people while the command runs. */ readonly heard?: (text: string) => void;
  } = {},
): Promise<CliResult> {
  let out = '';
  let err = '';
  const code = await run(args, {
    out: (text) => void (out += text),
    err: (text) => {
      err += text;
      options.heard?.(text);
    },
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, out, err };
}

import type { DataPlugin } from '@langevin/io';
import type { FetchProgress } from '@langevin/io';
import { cacheFolder, findData, type OpenDataOptions } from '@langevin/io/node';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { setting } from '../../arguments.ts';
import { showBytes } from '../../table.ts';
import { remark, type Terminal } from '../../terminal.ts';

export interface FetchingOptions {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly registry?: string;
  readonly offline?: true;
  readonly json?: true;
}

/** Options of every command that may fetch. */
export function withFetching(command: Command): Command {
  return command
    .option('--set <name=value>', 'an option of the data set, such as size=32 or styles=flat,3d; may be given again', setting)
    .option('--registry <url>', 'an npm registry in place of the public one')
    .option('--offline', 'use what is in the cache and nothing else')
    .option('--json', 'one JSON document on stdout instead of text');
}

/** A data set that a command line names, and how its parts are fetched: with a line or a bar for people. */
export interface Fetching {
  readonly config: Readonly<Record<string, unknown>>;
  readonly found: ReturnType<typeof findData>;
  readonly options: OpenDataOptions;
}

export async function prepare(name: string, options: FetchingOptions, terminal: CommandContext): Promise<Fetching> {
  const { data } = terminal.registries;
  const config = { ...options.set, name };
  return {
    config,
    found: findData(config, data),
    options: {
      plugins: data,
      cache: cacheFolder(terminal.env),
      signal: terminal.signal,
      network: options.offline ? 'offline' : 'online',
      onProgress: progressLines(terminal),
      ...(options.registry !== undefined && { registry: options.registry }),
    },
  };
}

const EVERY_MS = 2000;

/** A line when a part begins, one every two seconds, and one at its end; on a terminal they replace each other. */
export function progressLines(terminal: Terminal): (progress: FetchProgress) => void {
  let part = '';
  let last = 0;
  return (progress) => {
    const { done, total } = progress;
    const isNew = progress.part !== part;
    const isEnd = done >= total;
    if (!isNew && !isEnd && performance.now() - last < (terminal.screen ? EVERY_MS / 10 : EVERY_MS)) return;
    part = progress.part;
    last = performance.now();
    const text = `${part}: ${showBytes(done)} of ${showBytes(total)}`;
    if (terminal.screen) terminal.err(`\r\u001b[K${text}${isEnd ? '\n' : ''}`);
    else remark(terminal, text);
  };
}

/** Bytes that a data set needs at most. */
export function bytesOf(plugin: Pick<DataPlugin, 'parts'>, options: Readonly<Record<string, unknown>>): number {
  return plugin.parts(options).reduce((sum, { bytes }) => sum + bytes, 0);
}

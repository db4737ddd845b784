import type { DataPlugin } from '@langevin/io';
import { errorKind } from '@langevin/tensor';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';

import { showBytes, table } from '../../table.ts';
import { line } from '../../terminal.ts';
import { bytesOf } from './fetching.ts';

export function addDataList(data: Command, terminal: CommandContext): void {
  data
    .command('list')
    .description('List the data sets by name, with what each fetches when nothing else is asked for.')
    .option('--json', 'one JSON document on stdout instead of text')
    .action(async (options: { readonly plugin: readonly string[]; readonly json?: true }) => {
      const plugins = terminal.registries.data as readonly DataPlugin[];
      const rows = plugins.map((plugin) => ({
        name: plugin.name,
        fetches: defaultBytes(plugin),
        options: plugin.options,
        licences: plugin.licences,
        summary: plugin.summary,
      }));
      if (options.json) return line(terminal, JSON.stringify(rows));
      const cells = rows.map(({ name, fetches, summary }) => [name, fetches === 0 ? 'nothing' : showBytes(fetches), summary]);
      line(terminal, table([['name', 'fetches', 'summary'], ...cells]));
    });
}

/** Data sets of files that have to be named fetch nothing. */
function defaultBytes(plugin: DataPlugin): number {
  try {
    return bytesOf(plugin, {});
  } catch (error) {
    if (errorKind(error) === 'user') return 0;
    throw error;
  }
}

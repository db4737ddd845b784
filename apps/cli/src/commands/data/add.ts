import { creditsText, fetchData, licencesFor } from '@langevin/io/node';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { showBytes } from '../../table.ts';
import { line } from '../../terminal.ts';
import { prepare, withFetching, type FetchingOptions } from './fetching.ts';

const AFTER_HELP = `
Examples:
  langevin data add emoji
  langevin data add emoji --set styles=3d
  langevin data add emoji --offline                say whether it is there

Packages are checked against their pinned integrity, files against their SHA-256. A file that was cut goes on where it ended.`;

export function addDataAdd(data: Command, terminal: CommandContext): void {
  withFetching(
    data.command('add').description('Fetch what a data set needs into the cache.').argument('<name>', 'a data set of "langevin data list"'),
  )
    .addHelpText('after', AFTER_HELP)
    .action(async (name: string, options: FetchingOptions) => {
      const { config, found, options: fetching } = await prepare(name, options, terminal);
      const folders = await fetchData(config, fetching);
      const licences = licencesFor(found.plugin, Object.keys(folders));
      const bytes = found.parts.reduce((sum, part) => sum + part.bytes, 0);
      if (options.json) return line(terminal, JSON.stringify({ name, bytes, folders, licences }));
      line(terminal, found.parts.length === 0 ? `${name}: nothing has to be fetched` : `${name}: ${showBytes(bytes)} fetched and checked`);
      for (const [part, folder] of Object.entries(folders)) line(terminal, `  ${part}  ${folder}`);
      line(terminal, 'licences');
      for (const text of creditsText({ licences }).split('\n')) line(terminal, `  ${text}`);
    });
}

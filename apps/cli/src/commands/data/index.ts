import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../../define-command.ts';
import { addDataAdd } from './add.ts';
import { addDataList } from './list.ts';
import { addDataShow } from './show.ts';

const AFTER_HELP = `
Examples:
  langevin data list
  langevin data show captioned-shapes                             nothing is fetched
  langevin data add emoji --set styles=flat,twemoji             3 MB from the npm registry, once
  langevin data show emoji --where category=Flags --out flags.png
  langevin data show picture-folder --set folder=my-pictures

What is fetched lies in LANGEVIN_CACHE, else in ~/.cache/langevin, and is used from there without the network.`;

export const dataCommand: CliCommand = defineCommand({ name: 'data', add: addData });

function addData(program: Command, terminal: CommandContext): void {
  const data = program
    .command('data')
    .description('Data sets of pictures and clips with captions: list them, fetch them, look at them.')
    .addHelpText('after', AFTER_HELP);
  for (const add of [addDataList, addDataAdd, addDataShow]) add(data, terminal);
}

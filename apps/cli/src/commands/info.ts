import { describeCheckpoint } from '@langevin/pipelines';
import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { showBytes, showCount, table } from '../table.ts';
import { line } from '../terminal.ts';

const AFTER_HELP = `
Examples:
  langevin info models/emoji
  langevin info runs/emoji                                 its newest checkpoint
  langevin info model.safetensors --json

Only the header of the weights is read.`;

export const infoCommand: CliCommand = defineCommand({ name: 'info', add: addInfo });

function addInfo(program: Command, terminal: CommandContext): void {
  program
    .command('info')
    .description('Say what a checkpoint holds: parameters, dtypes, bytes, configuration.')
    .argument('<checkpoint>', 'folder of a model, of a training run or of one of its checkpoints, or a safetensors file')
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (path: string, options: { readonly json?: true }) => {
      const found = await describeCheckpoint(path);
      if (options.json) return line(terminal, JSON.stringify(found));
      line(terminal, `${found.file}`);
      line(
        terminal,
        `${showCount(found.elements)} numbers in ${showCount(found.tensors)} tensors, ${showBytes(found.bytes)} (${Object.entries(
          found.dtypes,
        )
          .map(([dtype, count]) => `${dtype}: ${showCount(count)}`)
          .join(', ')})`,
      );
      if (found.step !== undefined) line(terminal, `training step ${found.step}`);
      line(terminal, '');
      line(
        terminal,
        table([
          ['prefix', 'tensors', 'numbers', 'bytes'],
          ...found.prefixes.map(({ prefix, tensors, elements, bytes }) => [
            prefix,
            showCount(tensors),
            showCount(elements),
            showBytes(bytes),
          ]),
        ]),
      );
      for (const [title, entries] of [
        ['configuration', found.config],
        ['metadata', found.metadata],
      ] as const) {
        if (typeof entries !== 'object' || entries === null || Object.keys(entries).length === 0) continue;
        line(terminal, '');
        line(terminal, title);
        for (const [key, value] of Object.entries(entries)) line(terminal, `  ${key}: ${JSON.stringify(value)}`);
      }
    });
}

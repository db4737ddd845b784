import { readSplatFile, writeSplatFile } from '@langevin/io/node';
import { splatFormatForName, splatFormats } from '@langevin/io/splats';
import type { Command } from 'commander';
import { showCount } from '../../table.ts';
import { line, type Terminal } from '../../terminal.ts';

const AFTER_HELP = `
Examples:
  langevin splat convert scene.ply scene.spz
  langevin splat convert scene.splat scene.ply --json

The input is known by its content, the output by the end of its name: ${splatFormats.filter(({ encode }) => encode).flatMap(({ extensions }) => extensions).join(', ')}.`;

export function addSplatConvert(program: Command, terminal: Terminal): void {
  program
    .command('convert')
    .description('Write a file of Gaussians in another format.')
    .argument('<in>', 'what is read')
    .argument('<out>', 'what is written')
    .option('--drop-invalid', 'leave out Gaussians that are not numbers, in place of refusing the file')
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action(async (from: string, to: string, options: { readonly dropInvalid?: true; readonly json?: true }) => {
      const format = splatFormatForName(to);
      const cloud = await readSplatFile(from, { invalid: options.dropInvalid ? 'drop' : 'refuse' });
      await writeSplatFile(to, cloud);
      const dropped = cloud.metadata?.dropped ?? 0;
      if (options.json) return line(terminal, JSON.stringify({ in: from, out: to, from: cloud.metadata?.format ?? 'unknown', to: format.name, gaussians: cloud.count, dropped, loses: format.loses }));
      line(terminal, `${to}: ${showCount(cloud.count)} Gaussians as ${format.name}${dropped > 0 ? `, ${showCount(dropped)} left out` : ''}`);
      if (format.loses !== '') line(terminal, `this format loses: ${format.loses}`);
    });
}

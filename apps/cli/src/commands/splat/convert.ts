import { checkOutputFile, prepareOutputFile } from '@langevin/io/node';
import { splatFormatForName, splatFormats } from '@langevin/io/splats';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { showCount } from '../../table.ts';
import { line, remark } from '../../terminal.ts';
import { finite } from './arguments.ts';
import { openAsset } from './asset.ts';
import { writeAssetFile } from './files.ts';

interface ConvertOptions {
  readonly time?: number;
  readonly dropInvalid?: true;
  readonly json?: true;
}

const AFTER_HELP = `
Examples:
  langevin splat convert scene.ply scene.spz
  langevin splat convert scene.splat scene.ply --json
  langevin splat convert walk.splats4d middle.ply --time 0.5      one moment, standing still
  langevin splat convert scene.json scene.splats4d                a scene with its files, as one

The input is known by its content, the output by the end of its name: ${splatFormats
  .filter(({ encode }) => encode)
  .flatMap(({ extensions }) => extensions)
  .join(', ')}.`;

export function addSplatConvert(program: Command, terminal: CommandContext): void {
  program
    .command('convert')
    .description('Write a file of Gaussians in another format.')
    .argument('<in>', 'what is read')
    .argument('<out>', 'what is written')
    .option('--time <t>', 'the moment of a 4D container that is written, in its units (default: the asset at rest)', finite)
    .option('--drop-invalid', 'leave out Gaussians that are not numbers, in place of refusing the file')
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action(async (from: string, to: string, { time, dropInvalid, json }: ConvertOptions) => {
      const format = splatFormatForName(to, { use: 'write', formats: terminal.registries.splatFormats });
      await checkOutputFile(to);
      const asset = await openAsset(from, { invalid: dropInvalid ? 'drop' : 'refuse' }, terminal);
      const moves = asset.times !== undefined && time === undefined && format.motion === 'kept';
      const { origin, ...kept } = asset.metadata ?? {};
      const keeps = format.origin === 'kept';
      if (origin !== undefined && !keeps)
        remark(terminal, `${format.name} holds no places so far from 0: ${to} will be relative to (${origin.join(', ')}); .ply keeps them`);
      const metadata = { ...kept, antialiased: asset.antialiased, ...(origin && keeps && { origin }) };
      const cloud = { ...(time === undefined ? asset.still : asset.at(time)), metadata };
      await prepareOutputFile(to);
      if (moves && asset.deformation !== undefined) await writeAssetFile(to, { kind: 'asset', asset: asset.scene.assets[0]! }, terminal);
      else await writeAssetFile(to, moves ? { kind: '4d', scene: asset.scene } : { kind: 'cloud', cloud }, terminal);
      const dropped = asset.metadata?.dropped ?? 0;
      const { count } = asset.still;
      if (json)
        return line(
          terminal,
          JSON.stringify({
            in: from,
            out: to,
            from: asset.format,
            to: format.name,
            gaussians: count,
            moves,
            ...(time !== undefined && { time }),
            dropped,
            loses: format.loses,
          }),
        );
      line(
        terminal,
        `${to}: ${showCount(count)} Gaussians as `
          + `${format.name}${time === undefined ? '' : `, at time ${time}`}${dropped > 0 ? `, ${showCount(dropped)} left out` : ''}`,
      );
      if (format.loses !== '' && format.loses !== 'nothing') line(terminal, `this format loses: ${format.loses}`);
      if (asset.times !== undefined && time === undefined && !moves)
        remark(
          terminal,
          `the motion is left out: this is the asset at rest; --time writes another moment, from ${asset.times.start} to `
            + `${asset.times.end}`,
        );
    });
}

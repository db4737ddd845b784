import { stat } from 'node:fs/promises';
import { sceneBounds } from '@langevin/gaussians';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { showBytes, showCount } from '../../table.ts';
import { line } from '../../terminal.ts';
import { openAsset, type OpenedAsset } from './asset.ts';

const AFTER_HELP = `
Examples:
  langevin splat info scene.ply
  langevin splat info walk.splats4d --json`;

export function addSplatInfo(program: Command, terminal: CommandContext): void {
  program
    .command('info')
    .description('Say what a file of Gaussians holds.')
    .argument('<file>', 'PLY, .splat, SPZ or a 4D container, known by its content; or a scene file (.json)')
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (path: string, options: { readonly json?: true }) => {
      const asset = await openAsset(path, {}, terminal);
      const { still, format, antialiased } = asset;
      const bytes = (await stat(path)).size;
      const { centre, radius } = sceneBounds(still);
      const motion = motionOf(asset);
      const assets = asset.scene.assets.length;
      const found = {
        file: path,
        format,
        gaussians: still.count,
        degree: still.degree,
        bytes,
        bytesPerGaussian: still.count === 0 ? 0 : bytes / still.count,
        antialiased,
        centre,
        radius,
        ...(assets > 1 && { assets }),
        motion,
      };
      if (options.json) return line(terminal, JSON.stringify(found));
      line(terminal, `${found.file}`);
      line(terminal, `format      ${found.format}${found.antialiased ? ', trained with antialiasing' : ''}`);
      line(terminal, `Gaussians   ${showCount(found.gaussians)}, spherical harmonics up to degree ${found.degree}`);
      if (assets > 1) line(terminal, `made of     ${assets} assets, each in its place`);
      line(terminal, `size        ${showBytes(bytes)}${format === 'scene' ? '' : `, ${found.bytesPerGaussian.toFixed(1)} bytes each`}`);
      line(terminal, `lies around ${centre.map((value) => value.toPrecision(4)).join(', ')}; nine tenths within ${radius.toPrecision(4)}`);
      if (motion === null) return;
      line(
        terminal,
        `moves       from ${motion.start} to ${motion.end}, then `
          + `${{ none: 'stays', repeat: 'begins again', mirror: 'runs back' }[motion.loop]}`,
      );
      if (motion.kind !== undefined) line(terminal, `deformation ${motion.kind}, ${showCount(motion.weights)} weights`);
    });
}

function motionOf({ times, deformation }: OpenedAsset) {
  if (times === undefined) return null;
  const { start, end, loop, frames } = times;
  const weights = Object.values(deformation?.tensors ?? {}).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return {
    start,
    end,
    loop,
    ...(frames && { frames: frames.length }),
    ...(deformation && { kind: deformation.kind, config: deformation.config }),
    weights,
  };
}

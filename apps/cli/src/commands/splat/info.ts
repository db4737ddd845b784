import { sceneBounds } from '@langevin/gaussians';
import { readSplatFile } from '@langevin/io/node';
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { showBytes, showCount } from '../../table.ts';
import { line, type Terminal } from '../../terminal.ts';

const AFTER_HELP = `
Examples:
  langevin splat info scene.ply
  langevin splat info scene.spz --json`;

export function addSplatInfo(program: Command, terminal: Terminal): void {
  program
    .command('info')
    .description('Say what a file of Gaussians holds.')
    .argument('<file>', 'PLY, .splat, SPZ or a 4D container; known by its content')
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (path: string, options: { readonly json?: true }) => {
      const cloud = await readSplatFile(path);
      const bytes = (await stat(path)).size;
      const { centre, radius } = sceneBounds(cloud);
      const found = { file: path, format: cloud.metadata?.format ?? 'unknown', gaussians: cloud.count, degree: cloud.degree, bytes, bytesPerGaussian: cloud.count === 0 ? 0 : bytes / cloud.count, antialiased: cloud.metadata?.antialiased ?? false, centre, radius };
      if (options.json) return line(terminal, JSON.stringify(found));
      line(terminal, `${found.file}`);
      line(terminal, `format      ${found.format}${found.antialiased ? ', trained with antialiasing' : ''}`);
      line(terminal, `Gaussians   ${showCount(found.gaussians)}, spherical harmonics up to degree ${found.degree}`);
      line(terminal, `size        ${showBytes(bytes)}, ${found.bytesPerGaussian.toFixed(1)} bytes each`);
      line(terminal, `lies around ${centre.map((value) => value.toPrecision(4)).join(', ')}; nine tenths within ${radius.toPrecision(4)}`);
    });
}

import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../../define-command.ts';
import { addSplatCompose } from './compose.ts';
import { addSplatConvert } from './convert.ts';
import { addSplatExample } from './example.ts';
import { addSplatInfo } from './info.ts';
import { addSplatRender } from './render.ts';
import { addSplatTrain } from './train.ts';

const AFTER_HELP = `
Examples:
  langevin splat example scenes/balls                          pictures with poses, to try training on
  langevin splat train scene --steps 1000 --out scene.ply      from posed photographs (COLMAP, transforms.json)
  langevin splat render scene.ply --out turn.gif --frames 60   a turntable
  langevin splat train frames-with-times --out walk.splats4d   a scene in motion
  langevin splat render walk.splats4d --out walk.mp4           all its time
  langevin splat compose room.ply cat.spz --place 1:translation=0.5,0,1 --out both.ply
  langevin splat convert scene.ply scene.spz
  langevin splat info scene.spz --json`;

export const splatCommand: CliCommand = defineCommand({ name: 'splat', add: addSplat });

function addSplat(program: Command, terminal: CommandContext): void {
  const splat = program
    .command('splat')
    .description('Scenes of 3D Gaussians, still or in motion: train, render, compose, convert, describe.')
    .addHelpText('after', AFTER_HELP);
  for (const add of [addSplatExample, addSplatTrain, addSplatRender, addSplatCompose, addSplatConvert, addSplatInfo]) add(splat, terminal);
}

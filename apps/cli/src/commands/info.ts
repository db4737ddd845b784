import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeCheckpoint, surveyCheckpoint, type CheckpointDescription, type CheckpointSurvey } from '@langevin/pipelines';
import { UnsupportedError } from '@langevin/tensor';
import type { Command } from 'commander';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { showBytes, showCount, table } from '../table.ts';
import { line } from '../terminal.ts';

const AFTER_HELP = `
Examples:
  langevin info models/emoji
  langevin info runs/emoji                                 its newest checkpoint
  langevin info stable-diffusion-v1-5                      a folder in the layout of diffusers
  langevin info v1-5-pruned-emaonly.safetensors            a single file of Stable Diffusion 1, 2, XL, 3 or Flux
  langevin info stable-diffusion-v1-5/stable-diffusion-v1-5
                                                           a model on a hub: configurations alone are downloaded
  langevin info model.safetensors --json

Only names, shapes and configurations are read.`;

export const infoCommand: CliCommand = defineCommand({ name: 'info', add: addInfo });

function addInfo(program: Command, terminal: CommandContext): void {
  program
    .command('info')
    .description('Say what a checkpoint holds: components, parameters, dtypes, bytes, and what was decided from which evidence.')
    .argument(
      '<checkpoint>',
      "folder of a model, of a training run or of one of its checkpoints, a safetensors or GGUF file, or a hub's owner/name",
    )
    .option('--config <folder>', 'folder or id of configurations and tokenizers, for a single file that lacks them')
    .option('--variant <name>', 'which variant of the weights is meant, such as fp16')
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (path: string, options: InfoOptions) => {
      const survey = await surveyed(path, options, terminal);
      const found = await described(path, survey);
      if (options.json) return line(terminal, JSON.stringify({ ...found, ...(survey && { checkpoint: survey }) }));
      if (survey) showSurvey(terminal, survey);
      if (survey && found) line(terminal, '');
      if (found) showDescription(terminal, found);
    });
}

interface InfoOptions {
  readonly config?: string;
  readonly variant?: string;
  readonly json?: true;
}

/** Of a folder with an index, a model on a hub, or a single file whose layout is known; anything else has no components. */
async function surveyed(
  path: string,
  { config, variant }: InfoOptions,
  { env, signal }: CommandContext,
): Promise<CheckpointSurvey | undefined> {
  const options = {
    hub: { env, signal },
    ...(variant !== undefined && { variant }),
    ...(config !== undefined && { singleFile: { config } }),
  };
  const there = await kindOf(path);
  if (there === 'folder') return (await kindOf(join(path, 'model_index.json'))) === 'file' ? surveyCheckpoint(path, options) : undefined;
  if (there === 'nothing') return /^[\w.-]+\/[\w.-]+(?:@.+)?$/u.test(path) ? surveyCheckpoint(path, options) : undefined;
  if (path.toLowerCase().endsWith('.gguf')) return surveyCheckpoint(path, options);
  if (!path.toLowerCase().endsWith('.safetensors')) return undefined;
  return surveyCheckpoint(path, options).catch((error: unknown) => {
    // A file of some other tensors: those are listed.
    if (error instanceof UnsupportedError || (error as Error).message.startsWith('[pipelines/single-file]')) return undefined;
    throw error;
  });
}

/** The tensors by prefix, where all are in one file. */
async function described(path: string, survey: CheckpointSurvey | undefined): Promise<CheckpointDescription | undefined> {
  const networks = survey?.components.filter(({ weights }) => weights !== undefined).length ?? 0;
  const whole = survey === undefined || (networks === 1 && (await kindOf(path)) === 'folder');
  if (!whole) return undefined;
  return survey === undefined ? describeCheckpoint(path) : describeCheckpoint(path).catch(() => undefined);
}

async function kindOf(path: string): Promise<'folder' | 'file' | 'nothing'> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 'nothing' : found.isDirectory() ? 'folder' : 'file';
}

function showSurvey(terminal: CommandContext, { label, pipeline, components, evidence }: CheckpointSurvey): void {
  line(terminal, pipeline === undefined ? label : `${label}: ${pipeline}`);
  line(terminal, '');
  line(
    terminal,
    table([
      ['component', 'class', 'numbers', 'tensors', 'bytes', 'dtypes', 'weights'],
      ...components.map(({ name, className, weights, bytes, counted }) => [
        name,
        className,
        counted ? showCount(counted.elements) : weights === undefined ? '' : 'not downloaded',
        counted ? showCount(counted.tensors) : '',
        bytes === undefined ? '' : showBytes(bytes),
        counted ? Object.keys(counted.dtypes).join(', ') : '',
        weights ?? '',
      ]),
    ]),
  );
  line(terminal, '');
  line(
    terminal,
    table([
      ['component', 'decided', 'value', 'from'],
      ...evidence.map(({ component, what, value, from }) => [component || 'all', what, value, from]),
    ]),
  );
}

function showDescription(terminal: CommandContext, found: CheckpointDescription): void {
  line(terminal, `${found.file}`);
  line(
    terminal,
    `${showCount(found.elements)} numbers in ${showCount(found.tensors)} tensors, ${showBytes(found.bytes)} (${Object.entries(found.dtypes)
      .map(([dtype, count]) => `${dtype}: ${showCount(count)}`)
      .join(', ')})`,
  );
  if (found.step !== undefined) line(terminal, `training step ${found.step}`);
  line(terminal, '');
  line(
    terminal,
    table([
      ['prefix', 'tensors', 'numbers', 'bytes'],
      ...found.prefixes.map(({ prefix, tensors, elements, bytes }) => [prefix, showCount(tensors), showCount(elements), showBytes(bytes)]),
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
}

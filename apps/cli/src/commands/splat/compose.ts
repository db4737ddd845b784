import { dirname, relative, resolve } from 'node:path';
import { parseSceneFile } from '@langevin/gaussians';
import { checkOutputFile, prepareOutputFile, readJson, writeFileAtomic } from '@langevin/io/node';
import { splatFormatForName } from '@langevin/io/splats';
import { UserError } from '@langevin/tensor';
import { InvalidArgumentError, type Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { showCount } from '../../table.ts';
import { line, remark } from '../../terminal.ts';
import { finite } from './arguments.ts';
import { openPlaced } from './asset.ts';
import { writeAssetFile } from './files.ts';

interface ComposeOptions {
  readonly place: readonly Placement[];
  readonly out: string;
  readonly time?: number;
  readonly json?: true;
}

/** What one --place says: to which file, and what. */
interface Placement {
  readonly file: number;
  readonly entry: Readonly<Record<string, unknown>>;
}

const AFTER_HELP = `
Examples:
  langevin splat compose room.ply cat.spz --place "2:translation=0.5,0,1 axis=0,1,0 degrees=90 scale=0.5" --out both.ply
  langevin splat compose room.ply walk.splats4d --place "2:offset=1 duration=2 beyond=loop" --out scene.json
  langevin splat compose room.ply walk.splats4d --place "2:offset=1 duration=2 beyond=loop" --out scene.splats4d
  langevin splat compose scene.json --time 1.5 --out moment.ply
  langevin splat render scene.json --out scene.mp4

--place <n>:<entries> says where the n-th file stands: translation=x,y,z, rotation=w,x,y,z or axis=x,y,z with degrees, scale; and, of what
moves, offset (when it begins), duration, and beyond=hold, loop or mirror. A scene file says the same in JSON:
  { "assets": [{ "file": "room.ply" }, { "file": "cat.spz", "translation": [0.5, 0, 1], "scale": 0.5 }] }
It names the files; a .splats4d holds them, with their motions, places and times. Formats without motion hold one moment.`;

export function addSplatCompose(program: Command, terminal: CommandContext): void {
  program
    .command('compose')
    .description('Put several files of Gaussians into one scene.')
    .argument('<files...>', 'files of Gaussians, or one scene file (.json)')
    .requiredOption(
      '--out <file>',
      'one set of Gaussians (.ply, .splat, .spz), the whole scene (.splats4d), or a scene file (.json) that names the files',
    )
    .option('--place <n:entries>', 'where a file stands and when it moves, see below; may be given several times', place, [])
    .option('--time <t>', 'the moment that is written, where something moves (default: the beginning)', finite)
    .option('--json', 'one JSON document on stdout at the end')
    .addHelpText('after', AFTER_HELP)
    .action((files: readonly string[], options: ComposeOptions) => runCompose(files, options, terminal));
}

async function runCompose(
  files: readonly string[],
  { place: places, out, time, json }: ComposeOptions,
  terminal: CommandContext,
): Promise<void> {
  const asScene = out.toLowerCase().endsWith('.json');
  const format = asScene ? undefined : splatFormatForName(out, { use: 'write', formats: terminal.registries.splatFormats });
  if (asScene && time !== undefined)
    throw new UserError(`[cli/splat] a scene file has all its time: --time=${time}, --out=${out}. Leave --time out, or write a .ply.`);
  await checkOutputFile(out);
  const { entries, folder, label } = await entriesOf(files, places);
  const placed = parseSceneFile({ assets: entries }, label);
  const scene = await openPlaced(placed, { folder, label }, terminal);
  const gaussians = time === undefined ? scene.still : scene.at(time);
  await prepareOutputFile(out);
  if (format === undefined) {
    const to = dirname(resolve(out));
    const assets = entries.map((entry, i) => ({ ...entry, file: relative(to, resolve(folder, placed[i]!.file)) }));
    await writeFileAtomic(out, new TextEncoder().encode(`${JSON.stringify({ assets }, undefined, 2)}\n`));
  } else if (format.motion === 'kept' && scene.times !== undefined && time === undefined) {
    await writeAssetFile(out, { kind: '4d', scene: scene.scene }, terminal);
  } else {
    await writeAssetFile(out, { kind: 'cloud', cloud: { ...gaussians, metadata: { antialiased: scene.antialiased } } }, terminal);
    if (scene.times !== undefined && time === undefined)
      remark(
        terminal,
        `this is the beginning; --time writes another moment, from ${scene.times.start} to ${scene.times.end}, and --out `
          + 'scene.splats4d or scene.json keeps the motion',
      );
  }
  if (json)
    return line(
      terminal,
      JSON.stringify({
        out,
        assets: placed.length,
        gaussians: gaussians.count,
        degree: gaussians.degree,
        ...(time !== undefined && { time }),
        ...(scene.times && { start: scene.times.start, end: scene.times.end }),
      }),
    );
  line(
    terminal,
    `${out}: ${placed.length} assets, ${showCount(gaussians.count)} `
      + `Gaussians${scene.times === undefined ? '' : `, in motion from ${scene.times.start} to ${scene.times.end}`}`,
  );
}

interface Entries {
  readonly entries: readonly Readonly<Record<string, unknown>>[];
  readonly folder: string;
  readonly label: string;
}

async function entriesOf(files: readonly string[], places: readonly Placement[]): Promise<Entries> {
  const [first = ''] = files;
  if (files.length === 1 && first.toLowerCase().endsWith('.json')) {
    if (places.length > 0)
      throw new UserError(
        `[cli/splat] a scene file says where its assets stand: --place beside ${first}. Change the file, or name the assets themselves.`,
      );
    const value = await readJson(first);
    parseSceneFile(value, first);
    return { entries: (value as { readonly assets: Entries['entries'] }).assets, folder: dirname(first), label: first };
  }
  const entries: Record<string, unknown>[] = files.map((file) => ({ file }));
  for (const { file, entry } of places) {
    const at = entries[file - 1];
    if (at === undefined)
      throw new UserError(`[cli/splat] no file of that number: --place ${file}:..., files=${files.length}. Numbers begin with 1.`);
    for (const [name, value] of Object.entries(entry)) {
      if (name in at) throw new UserError(`[cli/splat] said twice, or not to be said: --place ${file}:${name}=... Leave one out.`);
      at[name] = value;
    }
  }
  return { entries, folder: '.', label: 'the command line' };
}

/** `2:translation=1,0,0 scale=0.5`; what the names and numbers mean is checked as in a scene file. */
function place(text: string, before: readonly Placement[]): readonly Placement[] {
  const match = /^(\d{1,4}):(.+)$/.exec(text.trim());
  if (match === null)
    throw new InvalidArgumentError('Give <number of the file>:<name>=<value> ..., such as "2:translation=1,0,0 scale=0.5".');
  const entry: Record<string, unknown> = {};
  for (const part of match[2]!.trim().split(/\s+/)) {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    if (name === undefined || value === undefined || name in entry)
      throw new InvalidArgumentError(`"${part}" is not <name>=<value>, or was said before.`);
    const numbers = value.split(',').map((one) => (one === '' ? NaN : Number(one)));
    entry[name] = !numbers.every(Number.isFinite) ? value : numbers.length === 1 ? numbers[0] : numbers;
  }
  return [...before, { file: Number(match[1]), entry }];
}

import { filterData, imageGrid, shuffled, type DataItem, type DataSource, type Image } from '@langevin/io';
import { creditsText, openData, resizeImage, writeImage } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import type { Command } from 'commander';
import type { CommandContext } from '../../define-command.ts';
import { integer, setting } from '../../arguments.ts';
import { preparePicture } from '../../picture-output.ts';
import { stopHere } from '../../stopping.ts';
import { showCount } from '../../table.ts';
import { line } from '../../terminal.ts';
import { prepare, withFetching, type FetchingOptions } from './fetching.ts';

interface ShowOptions extends FetchingOptions {
  readonly out?: string;
  readonly count: number;
  readonly columns?: number;
  readonly seed: number;
  readonly where?: Readonly<Record<string, unknown>>;
}

const AFTER_HELP = `
Examples:
  langevin data show captioned-shapes --out shapes.png
  langevin data show emoji --where style=3d --where category="Animals & Nature" --out animals.png
  langevin data show emoji-animated --count 6 --out moving.png     a row of frames for each clip
  langevin data show picture-folder --set folder=my-pictures --json

What is missing is fetched first; --offline refuses that.`;

/** Pixels of a picture on the sheet, about: small ones are drawn larger, so that captions find room. */
const TILE = 112;
const LABEL_LINES = 3;
/** Values of an attribute that are listed one by one. */
const MOST_VALUES = 12;
const MOST_FRAMES = 8;

export function addDataShow(data: Command, terminal: CommandContext): void {
  withFetching(
    data
      .command('show')
      .description('Say what a data set holds and under which licences, and draw a contact sheet to look at.')
      .argument('<name>', 'a data set of "langevin data list"'),
  )
    .option('--out <picture>', 'where the contact sheet goes: .png, .jpg or .webp')
    .option('--count <n>', 'items on the sheet, chosen at random', integer(1, 400), 24)
    .option('--columns <n>', 'items in a row (default: the nearest to a square; clips have a row each)', integer(1, 40))
    .option('--seed <n>', 'decides which items', integer(0), 0)
    .option('--where <attribute=value>', 'only items with this attribute; may be given again', setting)
    .addHelpText('after', AFTER_HELP)
    .action((name: string, options: ShowOptions) => show(name, options, terminal));
}

async function show(name: string, options: ShowOptions, terminal: CommandContext): Promise<void> {
  if (options.out !== undefined) await preparePicture(options.out, 'data');
  const { config, found, options: fetching } = await prepare(name, options, terminal);
  const { source: all, credits } = await openData(config, fetching);
  const source = options.where === undefined ? all : chosenBy(all, options.where);
  await stopHere(terminal, () => `opened data=${name}`);
  const batchSize = Math.min(options.count, source.length);
  const { items } = await shuffled(source, { batchSize, seed: options.seed }).at({ epoch: 0, index: 0 });
  if (options.out !== undefined) await writeImage(options.out, await sheetOf(items, options.columns));
  const notes = Array.from({ length: source.length }, (_, i) => source.about(i));
  const groups = new Set(notes.map(({ group }) => group)).size;
  const attributes = attributesOf(notes.map((note) => note.attributes));
  if (options.json)
    return line(
      terminal,
      JSON.stringify({
        ...{ name, kind: source.kind, length: source.length, groups, attributes, options: found.plugin.options },
        ...{ credits, remarks: source.remarks, sample: items.map(({ name: item, caption }) => ({ name: item, caption })) },
        ...(options.out !== undefined && { out: options.out }),
      }),
    );
  const say = (text: string): void => line(terminal, text);
  say(`${name}: ${showCount(source.length)} ${source.kind}s in ${showCount(groups)} groups. ${found.plugin.summary}`);
  for (const [attribute, values] of Object.entries(attributes)) say(`  ${attribute}: ${shownValues(values)}`);
  for (const text of source.remarks) say(`  ${text}`);
  say(`options (--set): ${found.plugin.options.join(', ')}`);
  say('licences');
  for (const text of creditsText(credits).split('\n')) say(`  ${text}`);
  say('captions');
  for (const { caption } of items.slice(0, 8)) say(`  ${caption}`);
  if (options.out !== undefined) say(`wrote ${options.out}: ${items.length} of them`);
}

function chosenBy(source: DataSource, where: Readonly<Record<string, unknown>>): DataSource {
  const known = new Set(Array.from({ length: source.length }, (_, i) => Object.keys(source.about(i).attributes)).flat());
  const wrong = Object.keys(where).find((attribute) => !known.has(attribute));
  if (wrong !== undefined)
    throw new UserError(`[cli/data] unknown attribute: --where ${wrong}, data=${source.name}. Known: ${[...known].sort().join(', ')}.`);
  return filterData(source, ({ attributes }) => Object.entries(where).every(([key, value]) => attributes[key] === String(value)));
}

type Counts = Readonly<Record<string, number>>;

function attributesOf(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, Counts | number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const attributes of all)
    for (const [key, value] of Object.entries(attributes)) {
      const values = counts.get(key) ?? new Map<string, number>();
      counts.set(key, values.set(value, (values.get(value) ?? 0) + 1));
    }
  return Object.fromEntries(
    [...counts].map(([key, values]) => [
      key,
      values.size > MOST_VALUES ? values.size : Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  );
}

function shownValues(values: Counts | number): string {
  if (typeof values === 'number') return `${showCount(values)} different values`;
  return Object.entries(values)
    .map(([value, count]) => `${value} ${showCount(count)}`)
    .join(', ');
}

/** Pictures with their captions under them; of clips, a row of frames each with its caption under the first. */
async function sheetOf(items: readonly DataItem[], columns: number | undefined): Promise<Image> {
  const cells: { readonly image: Image; readonly label: string }[] = [];
  let inRow = columns;
  for (const item of items) {
    if (item.kind === 'picture') cells.push({ image: item.image, label: item.caption });
    else {
      inRow = columns ?? MOST_FRAMES;
      const count = inRow;
      // Evenly over its time; those of a short clip stand there twice.
      const frames = Array.from({ length: count }, (_, k) => item.frames[Math.floor(((k + 0.5) * item.frames.length) / count)]!);
      cells.push(...frames.map((image, k) => ({ image, label: k === 0 ? item.caption : '' })));
    }
  }
  const { width, height } = cells[0]!.image;
  const largest = Math.max(width, height);
  const images = await Promise.all(cells.map(({ image }) => (largest > 2 * TILE ? smaller(image, largest) : image)));
  return imageGrid(images, {
    labels: cells.map(({ label }) => label),
    labelLines: LABEL_LINES,
    padding: 6,
    scale: Math.max(1, Math.round(TILE / largest)),
    ...(inRow !== undefined && { columns: inRow }),
  });
}

async function smaller(image: Image, largest: number): Promise<Image> {
  const factor = TILE / largest;
  const side = (length: number): number => Math.max(1, Math.round(factor * length));
  return resizeImage(image, { width: side(image.width), height: side(image.height) });
}

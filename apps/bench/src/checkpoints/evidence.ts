import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { compareCases, readGolden, writeTiny } from '@langevin/pipelines/testing';
import { setDefaultEngine } from '@langevin/tensor';
import type { Evidence } from '../evidence/evidence.ts';
import { describeMachine } from '../machine.ts';
import { markdownTable } from '../table.ts';
import { classRows, type ClassRow } from './classes.ts';
import { damageRows, type DamageRow } from './damage.ts';

/** What the cases of one checkpoint under one scheduler came to. */
interface PictureRow {
  readonly checkpoint: string;
  readonly scheduler: string;
  readonly pictures: number;
  readonly latents: number;
  readonly pixels: number;
  /** Of the pixels of the least varied picture. */
  readonly deviation: number;
}

const BOUNDS = { latents: 1e-3, pixels: 1, deviation: 20 } as const;
const NOT_PIPELINES = new Set(['adapters.json', 'single-files.json']);

/** Everything that is claimed of checkpoints, from code that runs here, beside golden files of diffusers and transformers. */
export async function checkpointsEvidence({
  root,
  report,
  size,
}: {
  readonly root: string;
  readonly report: (line: string) => void;
  readonly size: 'full' | 'quick';
}): Promise<Evidence> {
  const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
  setDefaultEngine(engine);
  const scratch = await mkdtemp(join(tmpdir(), 'langevin-evidence-'));
  try {
    report('classes ...');
    const classes = await classRows(root, engine);
    const folder = join(root, 'packages/pipelines/test/golden');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !NOT_PIPELINES.has(name));
    const pictures: PictureRow[] = [];
    for (const name of names.map((each) => each.slice(0, -'.json'.length)).sort()) {
      report(`pictures of ${name} ...`);
      pictures.push(...(await pictureRows(folder, { name, scratch })));
    }
    report('damaged folders ...');
    const whole = await writeTiny(join(scratch, 'whole'), await readGolden(folder, 'stable-diffusion'));
    const damaged = await damageRows(whole, { engine, many: size === 'full' ? 60 : 6, scratch });
    const failed =
      classes.filter(({ problems }) => problems.length > 0).length
      + pictures.filter((row) => !isMet(row)).length
      + damaged.reduce((total, { failures }) => total + failures.length, 0);
    const json = { machine: describeMachine(), failed, classes, pictures, damaged };
    return { page: 'evidence-checkpoints', markdown: page(json), json, failed };
  } finally {
    setDefaultEngine(undefined);
    await rm(scratch, { recursive: true, force: true });
  }
}

async function pictureRows(
  folder: string,
  { name, scratch }: { readonly name: string; readonly scratch: string },
): Promise<readonly PictureRow[]> {
  const golden = await readGolden(folder, name);
  const rows = new Map<string, PictureRow>();
  for await (const { entry, latents, pixels, deviation } of compareCases(golden, join(scratch, name))) {
    const before = rows.get(entry.name);
    rows.set(entry.name, {
      checkpoint: name,
      scheduler: entry.name,
      pictures: (before?.pictures ?? 0) + entry.pictures.length,
      latents: Math.max(before?.latents ?? 0, latents),
      pixels: Math.max(before?.pixels ?? 0, pixels),
      deviation: Math.min(before?.deviation ?? Infinity, deviation),
    });
  }
  return [...rows.values()];
}

function isMet({ latents, pixels, deviation }: PictureRow): boolean {
  return latents < BOUNDS.latents && pixels <= BOUNDS.pixels && deviation > BOUNDS.deviation;
}

function page({
  machine,
  failed,
  classes,
  pictures,
  damaged,
}: {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly failed: number;
  readonly classes: readonly ClassRow[];
  readonly pictures: readonly PictureRow[];
  readonly damaged: readonly DamageRow[];
}): string {
  const small = (value: number): string => value.toExponential(1);
  const all = pictures.reduce((total, row) => total + row.pictures, 0);
  const folders = damaged.reduce((total, row) => total + row.folders, 0);
  const failures = damaged.flatMap(({ kind, failures: own }) => own.map((failure) => `- ${kind}: \`${failure.replaceAll('\n', ' ')}\``));
  return [
    '# Evidence: checkpoints',
    '',
    `Made by \`npm run evidence -- checkpoints --write\` on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; `
      + `${machine.date}; do not edit by hand. `
      + `${failed === 0 ? 'Everything holds.' : `**${failed} statements do not hold.**`}`,
    '',
    '## Classes',
    '',
    'Tiny networks whose weights follow from names, beside the same class of diffusers or transformers (`UViT` and `DiffiT`, which they do '
      + 'not have: beside twins in PyTorch, written from the formulas of the papers) in float64: the largest error of an '
      + 'output over its largest magnitude (at most 2e-5), and of a gradient of a weight or an input over its norm (at most 1e-4). U-Nets, '
      + 'ControlNets, T2I-Adapters, IP-Adapters and autoencoders are held to the same bounds by the tests of `backbones` and `latent-ae`.',
    '',
    markdownTable(
      ['class', 'configurations', 'outputs', 'gradients', 'holds'],
      classes.map((row) => [
        row.className,
        row.configurations,
        small(row.output),
        small(row.gradients),
        row.problems.length === 0 ? 'yes' : '**no**',
      ]),
    ),
    '',
    '## Pictures',
    '',
    `${all} pictures of tiny checkpoints beside those that diffusers makes of the same words, seeds and settings: the largest `
      + 'difference of final latents in units of their deviation (below 1e-3), and of pixels in steps of a byte (at most 1). '
      + 'Pixels of all of them deviate by more than 20: `deviation` is that of the least varied one.',
    '',
    markdownTable(
      ['checkpoint', 'scheduler, and what is asked for', 'pictures', 'latents', 'pixels', 'deviation', 'holds'],
      pictures.map((row) => [
        row.checkpoint,
        row.scheduler,
        row.pictures,
        small(row.latents),
        row.pixels,
        row.deviation.toFixed(1),
        isMet(row) ? 'yes' : '**no**',
      ]),
    ),
    '',
    '## Damaged folders',
    '',
    `${folders} copies of a tiny Stable Diffusion, each damaged once, opened and asked for a picture. A copy may make one where what was `
      + 'damaged is not read or still means something, and is else refused with an error for the user.',
    '',
    markdownTable(
      ['what', 'folders', 'a picture', 'refused', 'anything else'],
      damaged.map((row) => [row.kind, row.folders, row.opened, row.refused, row.failures.length]),
    ),
    '',
    ...(failures.length === 0 ? [] : [...failures.slice(0, 40), '']),
  ].join('\n');
}

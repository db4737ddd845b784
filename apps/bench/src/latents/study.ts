import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { imageGrid, type DataSource, type Image, type PictureItem } from '@langevin/io';
import { openData, writeImage } from '@langevin/io/node';
import { gaussianPictures, refuseDependentJudge, type FeatureInfo } from '@langevin/metrics';
import { loadJudge, readTrainingInfluences } from '@langevin/metrics/node';
import { heldOutPictures, loadAutoencoderFolder, loadModel, sampleImages } from '@langevin/pipelines';
import { dpmpp2m } from '@langevin/samplers';
import { setDefaultEngine, UserError, type Engine } from '@langevin/tensor';
import type { Evidence } from '../evidence/evidence.ts';
import { plainFeatures } from '../samplers/features.ts';
import { describeMachine } from '../machine.ts';
import { latentsFolder, STUDY_DATA, studyAutoencoders, studyDiffusions } from './grid.ts';
import { decodedNoise, distancesOf, likenessOf, reconstruct, type Distances, type LatentFindings, type Likeness } from './measure.ts';
import { latentsPage } from './page.ts';
import { latentsResult, type LatentsResult } from './train.ts';
import { latentsVerdicts, type LatentsVerdict } from './verdicts.ts';

/** An autoencoder, and what its reconstructions are worth. */
export interface AutoencoderFindings {
  readonly name: string;
  readonly kind: string;
  readonly seed: number;
  readonly training: LatentsResult;
  readonly latents: LatentFindings;
  /** Of pictures whose emoji were not trained on. */
  readonly heldOut: Likeness;
  /** Of reconstructions, from other pictures. */
  readonly distances: Distances;
  /** Of what it makes of N(0, I), from pictures; of those with a normal posterior and the first seed. */
  readonly noise?: Distances;
  readonly encodePerSecond: number;
  readonly decodePerSecond: number;
}

/** A second stage, and what its samples are worth. */
export interface DiffusionFindings {
  readonly name: string;
  readonly over: string | undefined;
  readonly training: LatentsResult;
  readonly distances: Distances;
  readonly samplesPerSecond: number;
}

/** All that the page says. */
export interface LatentsFindings {
  readonly machine: ReturnType<typeof describeMachine>;
  readonly minutes: number;
  readonly size: 'full' | 'quick';
  readonly judge: Omit<FeatureInfo, 'width'>;
  readonly counts: { readonly pictures: number; readonly heldOut: number; readonly compared: number };
  /** Pictures themselves in the place of reconstructions: no reconstruction is nearer, but for chance. */
  readonly floor: Distances;
  readonly gaussian: Distances;
  readonly autoencoders: readonly AutoencoderFindings[];
  readonly diffusions: readonly DiffusionFindings[];
  readonly missing: readonly string[];
  readonly verdicts: readonly LatentsVerdict[];
}

/** Samples by so many calls of the network. */
const CALLS = 20;
const COUNTS = { full: 2000, quick: 200 } as const;
const SHEET = 12;

export interface LatentsOptions {
  readonly root: string;
  readonly size: 'full' | 'quick';
  readonly report: (line: string) => void;
}

/**
 * What autoencoders of the study lose, and what diffusion over their latents gains: from the weights in `runs/latents`, as far as they are
 * there.
 */
export async function latentsEvidence({ root, size, report }: LatentsOptions): Promise<Evidence> {
  const started = performance.now();
  const engine = await onnxruntimeEngine({ threads: availableParallelism() });
  setDefaultEngine(engine);
  const judge = await loadJudge(join(root, 'models', 'judges', 'emoji'), { engine });
  const { source } = await openData(STUDY_DATA);
  if (source.kind !== 'picture') throw new UserError(`[bench/latents] data are no pictures: data=${STUDY_DATA.name}. Fetch them anew.`);
  const pictures = source as unknown as { readonly length: number; readonly load: (i: number) => Promise<PictureItem> };
  const images: Image[] = [];
  for (let i = 0; i < pictures.length; i += 1) images.push((await pictures.load(i)).image);
  const compared = Math.min(COUNTS[size], Math.floor(images.length / 3));
  const chosen = new Set(Array.from({ length: compared }, (_, i) => Math.floor((i * images.length) / compared)));
  const some = images.filter((_, i) => chosen.has(i));
  const others = images.filter((_, i) => !chosen.has(i));
  const against = { judge, data: await judge.features(others), plain: plainFeatures(others), engine };
  report('floor and Gaussian');
  const floor = await distancesOf(some, against);
  const gaussian = await distancesOf(await gaussianPictures(images, { count: compared, seed: 1, engine }), against);

  const folder = latentsFolder(root);
  const missing: string[] = [];
  const autoencoders: AutoencoderFindings[] = [];
  const sheets = new Map<string, readonly Image[]>();
  let heldOutImages: readonly Image[] | undefined;
  for (const run of studyAutoencoders(root)) {
    const at = join(folder, run.name);
    const training = latentsResult(at);
    if (training === undefined) {
      missing.push(run.name);
      continue;
    }
    report(`${run.name}: reconstructions`);
    refuseDependentJudge(judge.info, await readTrainingInfluences(join(at, 'autoencoder')));
    const loaded = await loadAutoencoderFolder(join(at, 'autoencoder'));
    heldOutImages ??= await heldOutOf(source, run.config.heldOut);
    const held = await reconstruct(heldOutImages, loaded, engine);
    const all = await reconstruct(some, loaded, engine);
    const normal = all.latents.divergence !== undefined && run.seed === 1;
    const noise = normal ? await decodedNoise(compared, loaded, { engine, like: some[0]! }) : undefined;
    if (run.seed === 1) sheets.set(run.kind, held.images);
    if (noise && (run.kind === 'kl-1' || run.kind === 'f4')) sheets.set(`${run.kind}, N(0, I) decoded`, noise);
    autoencoders.push({
      ...{ name: run.name, kind: run.kind, seed: run.seed, training },
      latents: all.latents,
      heldOut: likenessOf(held.images, heldOutImages),
      distances: await distancesOf(all.images, against),
      ...(noise && { noise: await distancesOf(noise, against) }),
      encodePerSecond: all.encodePerSecond,
      decodePerSecond: all.decodePerSecond,
    });
  }
  const diffusions: DiffusionFindings[] = [];
  const samples = new Map<string, readonly Image[]>();
  for (const run of studyDiffusions(root)) {
    const at = join(folder, run.name);
    const training = latentsResult(at);
    if (training === undefined || !existsSync(join(at, 'model'))) {
      missing.push(run.name);
      continue;
    }
    report(`${run.name}: ${compared} samples`);
    const before = performance.now();
    const made = await sampled(join(at, 'model'), { count: compared, engine });
    const samplesPerSecond = (1000 * compared) / (performance.now() - before);
    samples.set(run.name, made);
    diffusions.push({ name: run.name, over: run.over, training, distances: await distancesOf(made, against), samplesPerSecond });
  }
  await judge.dispose();
  const findings: Omit<LatentsFindings, 'verdicts' | 'minutes'> = {
    ...{ machine: describeMachine(), size, judge: judge.info, floor, gaussian, autoencoders, diffusions, missing },
    counts: { pictures: images.length, heldOut: heldOutImages?.length ?? 0, compared },
  };
  const verdicts = latentsVerdicts(findings);
  const minutes = (performance.now() - started) / 60_000;
  if (size === 'full') await drawSheets(root, { heldOut: heldOutImages ?? some, sheets, samples });
  return {
    page: 'evidence-latents',
    markdown: latentsPage({ ...findings, verdicts, minutes }),
    json: { ...findings, verdicts, minutes },
    failed: verdicts.filter(({ holds }) => holds === 'no').length,
  };
}

/** The pictures that no autoencoder of the study was trained on. */
async function heldOutOf(source: DataSource, share: number): Promise<readonly Image[]> {
  const { heldOut } = heldOutPictures(source, share);
  return Promise.all(Array.from({ length: heldOut.length }, async (_, i) => (await heldOut.load(i)).image));
}

async function sampled(model: string, { count, engine }: { readonly count: number; readonly engine: Engine }): Promise<readonly Image[]> {
  for await (const event of sampleImages({
    ...{ model: await loadModel(model), labels: count, seed: 1001, sampler: dpmpp2m(), steps: CALLS, batch: 100, engine },
  }))
    if (event.kind === 'done') return event.images;
  throw new UserError(`[bench/latents] sampling ended without pictures: model=${model}.`);
}

interface Sheets {
  readonly heldOut: readonly Image[];
  readonly sheets: ReadonlyMap<string, readonly Image[]>;
  readonly samples: ReadonlyMap<string, readonly Image[]>;
}

/** One row for each: what was held out, then what each autoencoder makes of it; and of each second stage its first samples. */
async function drawSheets(root: string, { heldOut, sheets, samples }: Sheets): Promise<void> {
  const columns = (images: readonly Image[]): readonly Image[] =>
    Array.from({ length: SHEET }, (_, i) => images[Math.floor((i * images.length) / SHEET)]!);
  const draw = async (name: string, rows: readonly (readonly Image[])[]): Promise<void> => {
    if (rows.length > 0)
      await writeImage(join(root, 'docs', 'images', `${name}.png`), imageGrid(rows.flat(), { columns: SHEET, scale: 2 }));
  };
  await draw('latents-reconstructions', [columns(heldOut), ...[...sheets.values()].map(columns)]);
  await draw(
    'latents-samples',
    [...samples.values()].map((images) => images.slice(0, SHEET)),
  );
}

import { join } from 'node:path';
import {
  boxOf,
  deformationByName,
  deformationData,
  stillScene,
  trainMotion,
  trainSplats,
  type Box,
  type Deformation,
  type Gaussians,
  type TrainSplatsOptions,
} from '@langevin/gaussians';
import { writeSplats4dFile } from '@langevin/io/node';
import type { Registry } from '@langevin/core';
import type { SplatMetadata } from '@langevin/io/splats';
import { didYouMean, setDefaultEngine, UserError } from '@langevin/tensor';
import { listCheckpoints, readStoredJson, RUN_FILES } from '@langevin/training';
import { folderStore } from '@langevin/training/node';
import { openEngine } from '../../engines.ts';
import { showCount } from '../../table.ts';
import { line, remark, type Terminal } from '../../terminal.ts';
import { follow } from './follow.ts';

/** What concerns the motion, beside what still scenes are trained with. */
export interface MotionOptions {
  readonly kind: string;
  /** Options of the deformation. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Deformations to choose from. */
  readonly known: Registry<Deformation<unknown>>;
  /** Steps of the asset at rest, before it moves. @default those of the run that is resumed; else a quarter of all, 3000 at most */
  readonly stillSteps?: number;
  /** Where the two runs are kept. */
  readonly folder: string;
  /** What the file says of the asset. */
  readonly metadata: SplatMetadata;
  readonly stillViews?: 'first' | 'all';
  readonly holdAsset: boolean;
  readonly threads?: number;
  readonly out: string;
  readonly json: boolean;
}

const STILL_BOX = { center: [0, 0, 0], radius: 1 } as const;

/**
 * A deformation with options from the command line, checked before anything is trained; the box comes from the Gaussians.
 * @throws UserError for one that is not known, an option that it does not have, or one that is out of range
 */
export function deformationMaker(
  kind: string,
  { set, known }: { readonly set: Readonly<Record<string, unknown>>; readonly known: Registry<Deformation<unknown>> },
): (gaussians: Gaussians) => Deformation<unknown> {
  const settable = known.optionsOf(kind).filter((name) => name !== 'box');
  for (const [name, value] of Object.entries(set)) {
    if (!settable.includes(name))
      throw new UserError(
        `[cli/splat] unknown option of the deformation: --set-motion ${name}=${String(value)}.${didYouMean(name, settable)} Known of `
          + `${kind}: ${settable.join(', ')}.`,
      );
  }
  const make = (box: Box): Deformation<unknown> => deformationByName(kind, { ...set, box }, known);
  make(STILL_BOX);
  return (gaussians) => make(boxOf(gaussians));
}

/**
 * A scene in motion: first the asset at rest, then the motion with it, each a run of its own in the folder; both are resumed. `common` is
 * what both are trained with.
 */
export async function runMotion(motion: MotionOptions, common: Omit<TrainSplatsOptions, 'store'>, terminal: Terminal): Promise<void> {
  const { scene, start = 'new', strategy: _strategy, degree: _degree, degreeEvery: _every, ...rest } = common;
  const [atRest, inMotion] = [join(motion.folder, 'still'), join(motion.folder, 'motion')];
  const { times } = scene;
  if (times === undefined)
    throw new UserError(
      `[cli/splat] nothing moves in this scene: scene=${scene.name}, --deformation=${motion.kind}. Give every frame of `
        + 'transforms.json its time, or leave --deformation out.',
    );
  const deformationOf = deformationMaker(motion.kind, motion);
  const still = stillScene(scene, motion.stillViews);
  const stillSteps = await stepsAtRest(motion, { steps: common.steps, folder: atRest, start });
  // The checkpoint before the newest is asked for in the run that was under way.
  const hasMoved = (await listCheckpoints(folderStore(inMotion))).length > 0;
  const moments = new Set([...scene.train, ...scene.test].map(({ time }) => time)).size;
  remark(
    terminal,
    `in motion from ${times.start} to ${times.end}, ${moments} moments; the asset at rest begins with `
      + `${still.from === 'first' ? `the ${still.train.length} views of the first` : 'all views'}`,
  );
  const engine = await openEngine({
    engine: 'onnxruntime',
    device: 'cpu',
    ...(motion.threads !== undefined && { threads: motion.threads }),
  });
  setDefaultEngine(engine);
  try {
    const asset = await follow(
      trainSplats({
        ...common,
        scene: still,
        steps: stillSteps,
        start: start === 'previous' && hasMoved ? 'resume' : start,
        store: folderStore(atRest),
      }),
      { name: 'asset at rest', title: scene.name, folder: atRest },
      terminal,
    );
    const { gaussians } = asset.state;
    const deformation = deformationOf(gaussians);
    if (asset.reason === 'aborted')
      return ended(
        {
          step: asset.step,
          out: null,
          reason: 'aborted',
          gaussians: gaussians.count,
          psnr: null,
          ssim: null,
          atRest: asset.score?.psnr ?? null,
          milliseconds: null,
          checkpoint: asset.checkpoint,
          report: asset.report,
        },
        motion,
        terminal,
      );
    const steps = common.steps - stillSteps;
    const moved = await follow(
      trainMotion({
        ...rest,
        scene,
        gaussians,
        deformation,
        asset: motion.holdAsset ? 'hold' : 'train',
        steps,
        start: start === 'previous' && !hasMoved ? 'new' : start,
        store: folderStore(inMotion),
      }),
      { name: `motion (${deformation.kind})`, title: scene.name, folder: inMotion },
      terminal,
    );
    const { score, milliseconds } = moved;
    const frames = [...new Set(scene.train.map(({ time }) => times.start + time! * (times.end - times.start)))].sort((a, b) => a - b);
    await writeSplats4dFile(motion.out, {
      cloud: { ...moved.state.gaussians, metadata: motion.metadata },
      times: { ...times, loop: 'none', frames },
      deformation: await deformationData(deformation, moved.state.params),
    });
    ended(
      {
        step: stillSteps + moved.step,
        out: motion.out,
        reason: moved.reason,
        gaussians: moved.state.gaussians.count,
        psnr: score?.psnr ?? null,
        ssim: score?.ssim ?? null,
        atRest: asset.score?.psnr ?? null,
        milliseconds,
        checkpoint: moved.checkpoint,
        report: moved.report,
      },
      motion,
      terminal,
    );
  } finally {
    setDefaultEngine(undefined);
    await engine.dispose();
  }
}

/** A run that is resumed, for more steps perhaps, keeps its asset at rest as it was trained. */
async function stepsAtRest(
  { stillSteps: given }: MotionOptions,
  { steps, folder, start }: { readonly steps: number; readonly folder: string; readonly start: TrainSplatsOptions['start'] },
): Promise<number> {
  const before = start === 'new' ? undefined : await storedSteps(folder);
  if (before !== undefined && given !== undefined && given !== before)
    throw new UserError(
      `[cli/splat] run was started with other steps of the asset at rest: --still-steps=${given}, before=${before}. Leave it out, or use `
        + 'another folder.',
    );
  const chosen = given ?? before ?? Math.max(1, Math.min(3000, Math.floor(steps / 4)));
  if (chosen < steps) return chosen;
  throw new UserError(
    `[cli/splat] no steps are left for the motion: steps of the asset at rest=${chosen}, --steps=${steps}. Give more steps.`,
  );
}

/** The steps for which the run in a folder was started; nothing where there is none. */
async function storedSteps(folder: string): Promise<number | undefined> {
  const config = await readStoredJson(folderStore(folder), RUN_FILES.config);
  const { steps } = (typeof config === 'object' && config !== null ? config : {}) as { readonly steps?: unknown };
  return Number.isSafeInteger(steps) ? (steps as number) : undefined;
}

interface Ending {
  readonly step: number;
  /** Null when it ended before anything moved. */
  readonly out: string | null;
  readonly reason: 'finished' | 'aborted';
  readonly gaussians: number;
  readonly psnr: number | null;
  readonly ssim: number | null;
  /** PSNR of the asset at rest on the same held-out views. */
  readonly atRest: number | null;
  readonly milliseconds: number | null;
  readonly checkpoint: string;
  readonly report: string;
}

function ended({ milliseconds, atRest, ...ending }: Ending, { kind, json }: MotionOptions, terminal: Terminal): void {
  if (json) return line(terminal, JSON.stringify({ ...ending, deformation: kind, psnrAtRest: atRest, millisecondsPerStep: milliseconds }));
  line(
    terminal,
    `${ending.reason === 'finished' ? 'finished' : 'stopped'} at step ${ending.step}: ${showCount(ending.gaussians)} Gaussians, `
      + `${milliseconds === null ? 'no step of the motion done' : `${milliseconds.toFixed(1)} ms per step of the motion`}`,
  );
  if (ending.psnr !== null)
    line(
      terminal,
      `held-out    PSNR ${ending.psnr.toFixed(2)} dB, SSIM `
        + `${ending.ssim!.toFixed(4)}${atRest === null ? '' : `; at rest it had ${atRest.toFixed(2)} dB`}`,
    );
  if (ending.out !== null) line(terminal, `Gaussians   ${ending.out}`);
  line(terminal, `checkpoint  ${ending.checkpoint}`);
  line(terminal, `report      ${ending.report}`);
  if (ending.reason === 'aborted') line(terminal, 'go on with  the same command and --resume');
}

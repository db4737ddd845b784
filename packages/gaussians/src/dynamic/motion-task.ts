import { adam, type AdamState } from '@langevin/nn';
import {
  add,
  checkNumber,
  counterGenerator,
  data,
  gradients,
  hostOp,
  item,
  mapTensors,
  mul,
  realize,
  scalar,
  shownValue,
  stopGradient,
  sum,
  tensorsOf,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { defineTask, type StepPoint, type Task } from '@langevin/training';
import { checkGaussians, PARAMETERS, type Gaussians } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { adamStep } from '../optimizer/adam.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import type { Rasterizer } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import { checkGiven } from '../training/check-given.ts';
import { heldOut } from '../training/held-out.ts';
import { describeSettings } from '../training/settings.ts';
import { describeScene } from '../training/splat-task.ts';
import { checkState, initialState, type SplatState } from '../training/state.ts';
import { inTurn } from '../training/turns.ts';
import { viewLoss, type ViewGradients } from '../training/view-loss.ts';
import { backgroundOf, plainBackground, STREAM, viewOrder, VIEWS } from '../training/view-order.ts';
import { checkTime, deform, type Deformation, type MovingTensors } from './deformation.ts';
import { filmOf } from './film.ts';
import { MOVING, movedGaussians, movingTensors } from './moved-gaussians.ts';
import { resolveMotionSettings, type MotionSettings } from './settings.ts';

/** What the training of a motion changes: the asset with its moments, and the weights of the deformation with theirs. */
export interface MotionState<Params> extends SplatState {
  readonly params: Params;
  /** Of Adam, by the first part of a parameter's name. */
  readonly optimizer: Readonly<Record<string, AdamState>>;
}

export interface MotionTaskOptions<Params> extends MotionSettings {
  /** Every view has its time. */
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  readonly deformation: Deformation<Params>;
  /** The asset at rest, to begin with: what {@link stillScene} trains to, say. */
  readonly gaussians: Gaussians;
  /** Steps of the run in all; rates fall over them. */
  readonly steps: number;
  /** A further measure of held-out views, such as LPIPS. @default none */
  readonly perceptual?: PerceptualMetric;
}

const RULE = adam();

/**
 * The training of a motion on posed photographs with times, and of the asset with it, as a task for `train` of `@langevin/training`: each
 * step draws one view at its time. Losses, measures and evaluations are those of {@link splatTask}; to the latter comes a film of the
 * motion. Weights are computed by the default engine.
 *
 * @throws UserError when a view has no time, or a setting is out of range
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * const gaussians = gaussiansFromPoints(scene.points!);
 * const deformation = mlpDeformation({ box: boxOf(gaussians) });
 * const task = motionTask({ scene, gaussians, deformation, rasterizer: cpuRasterizer(), steps: 2000 });
 * for await (const event of train(task, { store: folderStore('runs/my-scene'), steps: 2000 }))
 *   if (event.kind === 'step') console.log(event.step, event.measures?.['psnr']);
 */
export function motionTask<Params>(options: MotionTaskOptions<Params>): Task<MotionState<Params>> {
  checkGiven('gaussians/dynamic', options);
  const { scene, rasterizer, deformation, gaussians: initial, steps, perceptual, ...given } = options;
  checkNumber('gaussians/dynamic', { steps }, { atLeast: 1, kind: 'integer' });
  for (const view of [...scene.train, ...scene.test]) timeOf(view);
  checkGaussians('gaussians/dynamic', initial);
  if (typeof deformation?.offsets !== 'function')
    throw new UserError(`[gaussians/dynamic] nothing moves: deformation=${shownValue(deformation)}. Pass one, such as mlpDeformation().`);
  const settings = resolveMotionSettings(given, { degree: initial.degree });
  const { seed, strategy, rates, antialiasing } = settings;
  const viewAt = viewOrder(scene.train, seed);
  const loss = viewLoss({ scene, rasterizer, settings });
  const background = plainBackground(settings.background);

  const step = async (state: MotionState<Params>, at: StepPoint): ReturnType<Task<MotionState<Params>>['step']> => {
    const { gaussians, moments, params, optimizer, decaySteps } = state;
    const { degree } = gaussians;
    const { view, next } = viewAt(at.stream(VIEWS));
    const still = movingTensors(gaussians);
    const moved = deform({ deformation, params }, still, scalar(timeOf(view)));
    // The picture and its gradient come from the rasterizer; the graph propagates the gradient back to the weights.
    let seen: ViewGradients | undefined;
    const pulls = hostOp({
      name: 'picture of a moment',
      inputs: MOVING.map((name) => stopGradient(moved[name])),
      outputs: MOVING.map((name) => moved[name]),
      run: async (arrays) => {
        const pose = Object.fromEntries(MOVING.map((name, i) => [name, arrays[i]])) as Pick<Gaussians, keyof MovingTensors>;
        seen = await loss.gradients({ ...gaussians, ...pose }, { view, background: backgroundOf(settings.background, at), degree });
        // Engines do not take memory that threads share.
        return MOVING.map((name) => Float32Array.from(seen!.gradients[name]));
      },
    });
    const pulled = MOVING.flatMap((name, i) =>
      moved[name] === still[name] ? [] : [sum(mul(moved[name], stopGradient(pulls[i]!)))],
    ).reduce((a, b) => add(a, b));
    const penalty = deformation.penalty?.(params);
    const found = gradients([penalty === undefined ? pulled : add(pulled, penalty)], [still.means, ...tensorsOf(params)]);
    const fallen = decaySteps > 1 ? Math.min(1, at.step / (decaySteps - 1)) : 0;
    const after = stepped(params, found.slice(1), {
      optimizer,
      rate: settings.rate * settings.finalRate ** fallen,
      rates: deformation.rates,
    });
    await realizeOwn([
      ...(settings.asset === 'train' ? [found[0]!] : []),
      ...(penalty === undefined ? [] : [penalty]),
      ...tensorsOf(after),
    ]);
    const { metrics, gradients: own, broken } = seen!;
    const total = metrics.loss + (penalty === undefined ? 0 : await item(penalty));
    const result = {
      losses: { loss: total },
      measures: { l1: metrics.l1, ssim: metrics.ssim, psnr: metrics.psnr, count: gaussians.count },
      streams: { [VIEWS]: next },
      items: { [VIEWS]: [view.name] },
    };
    if (broken !== undefined) return { ...result, state, norms: { [broken]: NaN } };
    if (!Number.isFinite(total)) return { ...result, state };
    if (settings.asset === 'train') {
      const towards = { ...own, means: (await data(found[0]!)) as Float32Array };
      const means = meansRate(rates, { step: at.step, decaySteps, extent: scene.extent });
      for (const name of PARAMETERS) {
        for (const columns of columnsOf(name, rates, { degree, activeDegree: degree, means })) {
          adamStep({ values: gaussians[name], gradient: towards[name], moments: moments[name], columns, step: at.step + 1 });
        }
      }
    }
    return { ...result, state: { ...state, ...after } };
  };

  const { kind, config } = deformation;
  return defineTask<MotionState<Params>>({
    name: 'motion',
    config: { ...describeSettings(settings), motion: { kind, config }, steps },
    mayChange: ['steps', 'rates', 'rate', 'finalRate'],
    data: describeScene(scene),
    seed,
    // A step sees one view, and its loss is bounded: a view of nothing, or of the first moment, may cost a thousandth of the others.
    growth: 'ignored',
    init: () => {
      const params = deformation.init(counterGenerator({ seed, stream: [STREAM.motion] }));
      const optimizer = Object.fromEntries(
        Object.entries(params as Record<string, unknown>).map(([name, part]) => [name, RULE.init(part)]),
      );
      return { ...initialState(initial, { strategy, decaySteps: settings.decaySteps ?? steps }), params, optimizer };
    },
    step: (state: MotionState<Params>, at: StepPoint) => {
      checkState(state, strategy);
      return inTurn(rasterizer, () => step(state, at));
    },
    evaluate: async function* ({ params, gaussians }) {
      const at = (time: number): Promise<Gaussians> => movedGaussians(deformation, { params, gaussians, time });
      const { degree } = gaussians;
      yield* heldOut(scene.test, {
        background,
        draw: async (view) => loss.evaluate(await at(timeOf(view)), view, { degree, perceptual }),
      });
      yield await filmOf(scene.test[0] ?? scene.train[0]!, {
        draw: async ({ camera }, time) => (await rasterizer.render(await at(time), camera, { background, degree, antialiasing })).color,
      });
    },
  });
}

/** Weights and moments after a step of Adam, a rate for each part. */
function stepped<Params>(
  params: Params,
  found: readonly Tensor[],
  {
    optimizer,
    rate,
    rates,
  }: Pick<MotionState<Params>, 'optimizer'> & { readonly rate: number; readonly rates: Readonly<Record<string, number>> },
): Pick<MotionState<Params>, 'params' | 'optimizer'> {
  let at = 0;
  const grads = mapTensors(params, () => found[at++]!) as Record<string, unknown>;
  const parts = Object.entries(params as Record<string, unknown>).map(
    ([name, part]) =>
      [name, RULE.update(grads[name], optimizer[name]!, { params: part, learningRate: scalar(rate * (rates[name] ?? 1e-3)) })] as const,
  );
  return {
    params: Object.fromEntries(parts.map(([name, { params: part }]) => [name, part])) as Params,
    optimizer: Object.fromEntries(parts.map(([name, { state }]) => [name, state])),
  };
}

/** An error of the picture is ours, not that of a host op. */
async function realizeOwn(tensors: readonly Tensor[]): Promise<void> {
  await realize(tensors).catch((error: unknown) => {
    throw error instanceof Error && error.cause instanceof UserError ? error.cause : error;
  });
}

function timeOf({ name, time }: SceneView): number {
  if (time === undefined) {
    throw new UserError(`[gaussians/dynamic] view has no time: view=${name}. Give every view its time in [0, 1], or train a still scene.`);
  }
  return checkTime(time);
}

import {
  add,
  data,
  gradients,
  hostOp,
  item,
  mapTensors,
  mul,
  realize,
  scalar,
  stopGradient,
  sum,
  tensor,
  tensorsOf,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { PARAMETERS, type Gaussians } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import { adamStep } from '../optimizer/adam.ts';
import { columnsOf, meansRate } from '../optimizer/rates.ts';
import type { Rasterizer } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { Trainer } from '../training/trainer.ts';
import { inTurn } from '../training/turns.ts';
import { viewLoss, type ViewGradients } from '../training/view-loss.ts';
import { checkTime, deform, type Deformation, type MovingTensors } from './deformation.ts';
import { RULE, type DynamicState } from './state.ts';
import type { ResolvedDynamicSettings } from './settings.ts';

/** Trains a motion, and the asset with it, step by step. */
export interface DynamicTrainer<Params> extends Pick<Trainer, 'advance' | 'evaluate'> {
  readonly state: () => DynamicState<Params>;
}

const MOVING = ['means', 'quaternions', 'logScales'] as const;

/** A trainer that goes on from a state. The arrays of the asset change in place. */
export function createDynamicTrainer<Params>(given: {
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  readonly deformation: Deformation<Params>;
  readonly settings: ResolvedDynamicSettings;
  readonly steps: number;
  readonly state: DynamicState<Params>;
}): DynamicTrainer<Params> {
  const { scene, rasterizer, deformation, settings, steps } = given;
  const loss = viewLoss(given);
  let state = given.state;

  return {
    state: () => state,
    advance: () =>
      inTurn(rasterizer, async () => {
        const { step, gaussians, moments, params, optimizer } = state;
        const still = movingTensors(gaussians);
        const moved = deform({ deformation, params }, still, scalar(timeOf(loss.viewOf(step))));
        // The picture and its gradient come from the rasterizer; the graph propagates the gradient back to the weights.
        let seen: ViewGradients | undefined;
        const pulls = hostOp({
          name: 'picture of a moment',
          inputs: MOVING.map((name) => stopGradient(moved[name])),
          outputs: MOVING.map((name) => moved[name]),
          run: async (arrays) => {
            const pose = Object.fromEntries(MOVING.map((name, i) => [name, arrays[i]])) as Pick<Gaussians, keyof MovingTensors>;
            seen = await loss.gradients({ ...gaussians, ...pose }, { step, degree: gaussians.degree });
            // Engines do not take memory that threads share.
            return MOVING.map((name) => Float32Array.from(seen!.gradients[name]));
          },
        });
        const pulled = MOVING.flatMap((name, i) =>
          moved[name] === still[name] ? [] : [sum(mul(moved[name], stopGradient(pulls[i]!)))],
        ).reduce((a, b) => add(a, b));
        const penalty = deformation.penalty?.(params);
        const found = gradients([penalty === undefined ? pulled : add(pulled, penalty)], [still.means, ...tensorsOf(params)]);
        const next = stepped(params, found.slice(1), {
          optimizer,
          rate: settings.rate * settings.finalRate ** (steps > 1 ? step / (steps - 1) : 0),
          rates: deformation.rates,
        });
        await realizeOwn([
          ...(settings.asset === 'train' ? [found[0]!] : []),
          ...(penalty === undefined ? [] : [penalty]),
          ...tensorsOf(next),
        ]);
        const { metrics, gradients: own } = seen!;
        const total = metrics.loss + (penalty === undefined ? 0 : await item(penalty));
        if (!Number.isFinite(total))
          throw new UserError(
            `[gaussians/dynamic] loss is not finite: loss=${total}, step=${step + 1}, view=${metrics.view}. Lower the rate of the motion.`,
          );
        if (settings.asset === 'train') {
          const towards = { ...own, means: (await data(found[0]!)) as Float32Array };
          const means = meansRate(settings.rates, { step, decaySteps: settings.decaySteps, extent: scene.extent });
          for (const name of PARAMETERS) {
            for (const columns of columnsOf(name, settings.rates, { degree: gaussians.degree, activeDegree: gaussians.degree, means })) {
              adamStep({ values: gaussians[name], gradient: towards[name], moments: moments[name], columns, step: step + 1 });
            }
          }
        }
        state = { ...state, ...next, step: step + 1 };
        return { metrics: { ...metrics, loss: total } };
      }),
    evaluate: async (view: SceneView, perceptual?: PerceptualMetric) =>
      loss.evaluate(await movedGaussians(deformation, { params: state.params, gaussians: state.gaussians, time: timeOf(view) }), view, {
        degree: state.gaussians.degree,
        perceptual,
      }),
  };
}

/** Gaussians at a time, computed by the engine: for many of them faster than `playback`, and the same up to rounding. */
export async function movedGaussians<Params>(
  deformation: Deformation<Params>,
  at: { readonly params: Params; readonly gaussians: Gaussians; readonly time: number },
): Promise<Gaussians> {
  const { params, gaussians, time } = at;
  const still = movingTensors(gaussians);
  const moved = deform({ deformation, params }, still, scalar(checkTime(time)));
  const changed = MOVING.filter((name) => moved[name] !== still[name]);
  await realize(changed.map((name) => moved[name]));
  const pose: Partial<Record<(typeof MOVING)[number], Float32Array>> = {};
  for (const name of changed) pose[name] = (await data(moved[name])) as Float32Array;
  return { ...gaussians, ...pose };
}

function movingTensors({ count, means, quaternions, logScales }: Gaussians): MovingTensors {
  const of = (array: Float32Array, width: number): Tensor => tensor(Float32Array.from(array), { shape: [count, width] });
  return { means: of(means, 3), quaternions: of(quaternions, 4), logScales: of(logScales, 3) };
}

/** Weights and moments after a step of Adam, a rate for each part. */
function stepped<Params>(
  params: Params,
  found: readonly Tensor[],
  {
    optimizer,
    rate,
    rates,
  }: Pick<DynamicState<Params>, 'optimizer'> & { readonly rate: number; readonly rates: Readonly<Record<string, number>> },
): Pick<DynamicState<Params>, 'params' | 'optimizer'> {
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
  if (time === undefined) throw new UserError(`[gaussians/dynamic] view has no time: view=${name}. Give every view its time in [0, 1].`);
  return checkTime(time);
}

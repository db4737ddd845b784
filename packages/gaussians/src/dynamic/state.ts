import type { HostTensor } from '@langevin/io';
import { adam, fromStateDict, shapesOnly, toStateDict, type AdamState, type StateEntry } from '@langevin/nn';
import { counterGenerator, UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import { initialState, restoreState, storeState, type StoredState, type TrainingState } from '../training/state.ts';
import { STREAM } from '../training/view-loss.ts';
import type { Deformation } from './deformation.ts';
import type { ResolvedDynamicSettings } from './settings.ts';

/** Everything that the next step depends on: the asset with its moments, and the weights with theirs. */
export interface DynamicState<Params> extends TrainingState {
  readonly params: Params;
  /** Of Adam, by the first part of a parameter's name. */
  readonly optimizer: Readonly<Record<string, AdamState>>;
}

const PREFIX = 'motion.';
export const RULE = adam();

/** A state before the first step: nothing moves. */
export function initialDynamicState<Params>(
  gaussians: Gaussians,
  deformation: Deformation<Params>,
  settings: ResolvedDynamicSettings,
): DynamicState<Params> {
  const params = deformation.init(counterGenerator({ seed: settings.seed, stream: [STREAM.motion] }));
  return { ...initialState(gaussians, settings.strategy), params, optimizer: optimizerOf(params) };
}

/** @throws UserError when a weight is not finite, so that it never gets into a checkpoint */
export async function storeDynamicState<Params>(state: DynamicState<Params>, run: unknown): Promise<StoredState> {
  const { params, optimizer } = state;
  const { tensors, metadata } = storeState(state, run);
  const all = new Map<string, HostTensor>(tensors);
  for (const [name, entry] of await toStateDict({ params, optimizer })) {
    if (!(entry.data as Float32Array).every(Number.isFinite))
      throw new UserError(
        `[gaussians/dynamic] weight is not finite: name=${name}, step=${state.step}. Lower the rate of the motion, and resume.`,
      );
    all.set(`${PREFIX}${name}`, entry as HostTensor);
  }
  return { tensors: all, metadata };
}

/** @throws UserError when it is damaged, or of a run with other settings or another scene */
export function restoreDynamicState<Params>(
  stored: StoredState,
  given: {
    readonly run: unknown;
    readonly settings: ResolvedDynamicSettings;
    readonly deformation: Deformation<Params>;
    readonly from: string;
  },
): DynamicState<Params> {
  const { run, settings, deformation, from } = given;
  const state = restoreState(stored, { run, strategy: settings.strategy, from });
  const entries = new Map(
    [...stored.tensors].flatMap(([name, tensor]) =>
      name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), tensor as StateEntry] as const] : [],
    ),
  );
  const params = deformation.init(shapesOnly);
  return { ...state, ...fromStateDict({ params, optimizer: optimizerOf(params) }, entries, { from }) };
}

function optimizerOf(params: unknown): Record<string, AdamState> {
  return Object.fromEntries(Object.entries(params as Record<string, unknown>).map(([name, part]) => [name, RULE.init(part)]));
}

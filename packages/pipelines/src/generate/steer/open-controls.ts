import { controlled, findSteering, type Controlling, type Steering, type SteeringInfo } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { openCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { Evidence } from '../../checkpoint/evidence.ts';
import { loadComponent, weightEvidence, type Loaded } from '../../checkpoint/load-network.ts';
import { readChoices } from '../choices.ts';
import type { ControlChoice, OpenOptions, WithParams } from '../product.ts';

/** A network that steers by a picture, opened. */
export interface OpenControl extends WithParams<Steering<unknown>> {
  /** Its class: `ControlNetModel`. */
  readonly className: string;
  /** Where it lies. */
  readonly from: string;
  readonly info: SteeringInfo;
}

/** `controlnet`, and `controlnet_1` and so on where diffusers saved several. */
const COMPONENT = /^controlnet(?:_\d+)?$|^adapter$/u;
const MOST = 16;

/** What steers a model: what a user named, else what its checkpoint has. */
export async function openControls(
  checkpoint: Checkpoint,
  { controls: choices, hub }: Pick<OpenOptions, 'controls' | 'hub'>,
): Promise<{ readonly controls: readonly OpenControl[]; readonly evidence: readonly Evidence[] }> {
  const loaded: (readonly [string, Loaded<Steering<unknown>>])[] = [];
  if (choices !== undefined) {
    for (const { from } of readChoices<ControlChoice>('controls', choices, { most: MOST, names: ['from'] })) {
      const other = await openCheckpoint(from, hub ? { hub } : {});
      const component = other.components.get('model');
      if (component === undefined)
        throw new UserError(
          `[pipelines/model] this is no ControlNet: folder=${other.files.label}, it has model_index.json. Give the folder of `
            + `its config.json.`,
        );
      loaded.push([other.files.label, await loadComponent(other, component, findSteering(component.className))]);
    }
  } else {
    for (const component of checkpoint.components.values())
      if (COMPONENT.test(component.name))
        loaded.push([
          `${checkpoint.files.label}/${component.folder}`,
          await loadComponent(checkpoint, component, findSteering(component.className)),
        ]);
  }
  return {
    controls: loaded.map(([from, { module, params, component }]) =>
      Object.freeze({ className: component.className, from, module, params, info: module.info }),
    ),
    evidence: loaded.flatMap(([, each]) => weightEvidence(each)),
  };
}

/** A network with those that steer it at each step; what reads pictures alone is run before. */
export function steeredNetwork(network: WithParams<Network<unknown>>, controls: readonly OpenControl[]): WithParams<Network<unknown>> {
  const steps = controls.filter(({ info }) => info.reads === 'step');
  if (steps.length === 0) return network;
  return {
    module: controlled(
      network.module,
      steps.map(({ module }): Controlling => ({ steering: module })),
    ) as Network<unknown>,
    params: { network: network.params, controls: steps.map(({ params }) => params) },
  };
}

import { add, UserError, type Generator } from '@langevin/tensor';
import { scoped } from '@langevin/nn';
import {
  defineNetwork,
  type Conditions,
  type ConditionSpec,
  type ConditionSpecs,
  type Network,
  type NetworkArguments,
} from '@langevin/core';
import type { Steering, SteeringInputs } from './define-steering.ts';

/** A steering network, and how it steers. */
export interface Controlling {
  readonly steering: Steering<unknown>;
  /** See `SteeringInputs`. @default 'even' */
  readonly emphasis?: NonNullable<SteeringInputs['emphasis']>;
}

/** Parameters of a network and of those that steer it. */
export interface ControlledParams<P> {
  readonly network: P;
  readonly controls: readonly unknown[];
}

/** The conditions through which a steering network is reached: its picture, and how strongly it steers. */
export const hintName = (index: number): string => `hint.${index}`;
export const hintScaleName = (index: number): string => `hint_scale.${index}`;

/**
 * A network with those that steer it at every step, as one network: each has its picture for a condition, `hint.0` and so on, and
 * `hint_scale.0` [N], 1 where it is left out. What several give adds up. One whose picture is left out is not run: with one graph for each
 * set of pictures, steps beyond the end of a ControlNet cost nothing.
 *
 * A T2I-Adapter reads the picture alone: run it once, and pass what it gives as conditions.
 *
 * @throws UserError for a network that cannot be steered so, naming what does not fit: a ControlNet of Stable Diffusion beside SDXL, say
 * @example
 * const levels = { blockOutChannels: [32, 64], downBlockTypes: ['DownBlock2D', 'DownBlock2D'], midBlockType: 'UNetMidBlock2D' } as const;
 * const unet = unet2dCondition({ ...levels, upBlockTypes: ['UpBlock2D', 'UpBlock2D'] });
 * const both = controlled(unet, [{ steering: controlNet(levels) as Steering<unknown> }]);
 * const conditions = { 'hint.0': zeros([1, 3, 64, 64]) };
 * both.apply(both.init(torchGenerator(0)), zeros([1, 4, 8, 8]), scalar(1), { conditions }).shape; // => [1, 4, 8, 8]
 */
export function controlled<P>(network: Network<P>, controls: readonly Controlling[]): Network<ControlledParams<P>> {
  controls.forEach(({ steering }, i) => checkFit(steering, { network: network.info.conditions, index: i }));
  const given = new Set(controls.flatMap(({ steering }) => Object.keys(steering.info.gives)));
  const own = Object.entries(network.info.conditions).filter(([name]) => !given.has(name));
  const hints = controls.flatMap(({ steering }, i): [string, ConditionSpec][] => [
    [hintName(i), { kind: 'picture', channels: steering.info.hint.channels, optional: true }],
    [hintScaleName(i), { kind: 'scalar', optional: true }],
  ]);
  const modules = controls.map(({ steering }, i) => scoped(`controls.${i}`, steering));
  return defineNetwork<ControlledParams<P>>({
    info: { ...network.info, conditions: Object.fromEntries([...own, ...hints]) },
    init: (generator: Generator) => ({ network: network.init(generator), controls: modules.map((module) => module.init(generator)) }),
    apply(params, ...[x, time, inputs = {}]: NetworkArguments) {
      const all = inputs.conditions ?? {};
      const names = new Set(hints.map(([name]) => name));
      const conditions = Object.fromEntries(Object.entries(all).filter(([name]) => !names.has(name)));
      const { mode } = inputs;
      const sums: Record<string, Conditions[string]> = {};
      controls.forEach(({ emphasis = 'even' }, i) => {
        const hint = all[hintName(i)];
        const scale = all[hintScaleName(i)];
        if (hint === undefined && scale === undefined) return;
        if (hint === undefined)
          throw new UserError(
            `[backbones/controlled] a picture is missing: ${hintScaleName(i)} is given, ${hintName(i)} is not. Give both, or neither.`,
          );
        const made = modules[i]!.apply(params.controls[i], {
          hint,
          x,
          time,
          conditions,
          emphasis,
          ...(scale && { scale }),
          ...(mode && { mode }),
        });
        for (const [name, value] of Object.entries(made)) sums[name] = sums[name] === undefined ? value : add(sums[name], value);
      });
      return network.apply(params.network, x, time, { ...inputs, conditions: { ...conditions, ...sums } });
    },
  });
}

function checkFit({ info }: Steering<unknown>, { network, index }: { readonly network: ConditionSpecs; readonly index: number }): void {
  const fail = (problem: string): never => {
    throw new UserError(`[backbones/controlled] network is not steered by this one: controls[${index}] ${problem}. Use one made for it.`);
  };
  if (info.reads !== 'step') fail('reads the picture alone: run it once, and pass what it gives as conditions');
  const told = (spec: ConditionSpec | undefined): string => (spec === undefined ? 'nothing' : JSON.stringify(spec));
  for (const [name, spec] of Object.entries(info.gives)) {
    const wanted = network[name];
    const fits =
      wanted?.kind === 'features' && spec.kind === 'features' && wanted.channels === spec.channels && wanted.shrink === spec.shrink;
    if (!fits) fail(`gives ${name}=${told(spec)}, the network takes ${told(wanted)}`);
  }
  for (const [name, spec] of Object.entries(info.conditions)) {
    if (spec.optional === true || JSON.stringify(network[name]) === JSON.stringify(spec)) continue;
    fail(`reads ${name}=${told(spec)}, the network is told ${told(network[name])}`);
  }
}

import { classNamed, defineClass, findClass, type ClassPlugin, type Mode, type Module } from '@langevin/nn';
import type { Conditions, ConditionSpecs } from '@langevin/core';
import type { Tensor } from '@langevin/tensor';

const WHERE = 'backbones/steering';

/** What a steering network reads, and what it gives. */
export interface SteeringInfo {
  /** The picture that it steers by: channels, and pixels for each position of the sample along height and width. Values are in [0, 1]. */
  readonly hint: { readonly channels: number; readonly pixels: number };
  /** Whether it reads the sample and its time, at every step, or the picture alone, once. */
  readonly reads: 'step' | 'hint';
  /** Conditions of the steered network that it reads too. */
  readonly conditions: ConditionSpecs;
  /** What it gives: conditions of the steered network, which adds them to its features. */
  readonly gives: ConditionSpecs;
}

/** What a steering network is given. */
export interface SteeringInputs {
  /** [N, hint.channels, hint.pixels H, hint.pixels W] in [0, 1], where samples are in [-1, 1]. */
  readonly hint: Tensor;
  /** The noisy sample [N, C, H, W], for one that reads steps. */
  readonly x?: Tensor;
  /** [], [1] or [N], for one that reads steps. */
  readonly time?: Tensor;
  /** Those of `info.conditions`; others are not looked at. @default none */
  readonly conditions?: Conditions;
  /** How strongly it steers, [N]. @default 1 */
  readonly scale?: Tensor;
  /**
   * `'guess'` weakens what is added near the input of the network, from 0.1 there to 1 in the middle: for a picture without a text (Zhang
   * et al. 2023, arXiv:2302.05543, sec. 3.4 has another rule; these numbers are those of diffusers). @default 'even'
   */
  readonly emphasis?: 'even' | 'guess';
  /** @default evaluation */
  readonly mode?: Mode;
}

/** A network that makes of a picture what another network adds to its features: `apply(params, inputs)` gives conditions of that one. */
export interface Steering<Params> extends Module<Params, readonly [inputs: SteeringInputs], Conditions> {
  readonly info: SteeringInfo;
}

/** A family of steering networks, made from JSON configurations. */
export type SteeringPlugin = ClassPlugin<Steering<unknown>>;

/**
 * A plugin as a frozen value.
 *
 * @throws UserError when its name or class is not well-formed
 */
export function defineSteering(plugin: SteeringPlugin): SteeringPlugin {
  return defineClass(WHERE, plugin);
}

/**
 * The steering network that a parsed `config.json` describes; its `_class_name` says which kind.
 *
 * @param plugins the ones to choose from; `steeringPlugins`, say
 * @throws UserError when the class is missing or an entry is wrong; UnsupportedError when the class is not known
 * @example
 * const { info } = steeringFromConfig({ _class_name: 'T2IAdapter', channels: [8, 16] }, steeringPlugins);
 * Object.keys(info.gives); // => ['adapter.0', 'adapter.1']
 */
export function steeringFromConfig(config: unknown, plugins: readonly SteeringPlugin[]): Steering<unknown> {
  return findClass(classNamed(config, { plugins, where: WHERE }), { plugins, where: WHERE, kind: 'network' }).parse(config);
}

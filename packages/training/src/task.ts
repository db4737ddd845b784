import type { Generator } from '@langevin/tensor';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Where a stream of data stands: the items before `index` of pass `epoch` have been used. */
export interface Position {
  readonly epoch: number;
  readonly index: number;
}

/** The place of a step in its run. A step may depend on the state and on this, on nothing else. */
export interface StepPoint {
  /** Steps done before this one, from 0. */
  readonly step: number;
  /** Where each stream of data stands, by name; one that has not been used stands at the beginning. */
  readonly stream: (name: string) => Position;
  /**
   * A fresh generator for one purpose: a function of (seed, step, purpose, part), whatever else was drawn and however often the step has
   * been traced.
   *
   * @param part tells apart what one step draws several times for one purpose. @default 0
   */
  readonly random: (purpose: string, part?: number) => Generator;
}

/** What a step gives back. */
export interface StepResult<State> {
  readonly state: State;
  /** Losses by name; a run stops when one of them is not finite. At least one. */
  readonly losses: Readonly<Record<string, number>>;
  /** Norms of gradients by name, watched as losses are: their squares have to be numbers of float32. @default none */
  readonly norms?: Readonly<Record<string, number>>;
  /** What else is worth a curve: learning rates, counts, scores. Not finite is allowed here. @default none */
  readonly measures?: Readonly<Record<string, number>>;
  /** Where the streams stand now that were used. @default as before */
  readonly streams?: Readonly<Record<string, Position>>;
  /** Which items the step saw, by stream, for the message when a loss is not finite. @default none are named */
  readonly items?: Readonly<Record<string, readonly (number | string)[]>>;
}

/** Something to look at that an evaluation made. */
export interface Artifact {
  /** Without an ending, unique within one evaluation: `samples`, `held-out/view-3`. */
  readonly name: string;
  readonly kind: 'picture' | 'film' | 'table' | 'text';
  /** Ending of the file, without a dot: `png`, `webp`, `md`, `csv`. */
  readonly extension: string;
  readonly content: Uint8Array | string;
}

/** What an evaluation yields: artifacts, and numbers that become curves of their own. */
export type Evaluation = Artifact | { readonly kind: 'numbers'; readonly values: Readonly<Record<string, number>> };

/** What a run is trained on, so that it is not resumed on something else. */
export interface TrainingData {
  /** Kept with the run. */
  readonly description: Json;
  /** In what the data differ from those of a stored description: `class added: "ant"`; undefined when they do not. */
  readonly difference: (stored: unknown) => string | undefined;
}

/**
 * What is trained: a frozen value. Networks that are not trained (teachers, autoencoders, frozen bases) are arguments of the function that
 * makes a task, never part of its state, so that no checkpoint rewrites them.
 *
 * The state is any tree of tensors, arrays of numbers (Float32Array, Int32Array, Uint8Array), numbers, text and flags in lists and plain
 * objects. Tensors and arrays may have another size after each step.
 */
export interface Task<State> {
  readonly name: string;
  /** Decides what the run computes; a resumed run must have the same, apart from the entries that `mayChange` names. */
  readonly config: Json;
  /** Dotted names of entries of `config` that a resume may change, such as `optimizer.learningRate`. @default none */
  readonly mayChange?: readonly string[];
  /** @default the data are not compared */
  readonly data?: TrainingData;
  /** Everything random comes from it. */
  readonly seed: number;
  /**
   * Whether a loss that stays a thousand times its first value ends a run. To be ignored where a step sees one item, and some are far
   * easier than others: a view that is matched from the beginning, say. @default 'watched'
   */
  readonly growth?: 'watched' | 'ignored';
  /** The state before the first step. */
  readonly init: () => State | Promise<State>;
  /** May donate the tensors of `state`, and change its arrays in place. */
  readonly step: (state: State, at: StepPoint) => Promise<StepResult<State>>;
  /** Pictures, films, tables, numbers of the state after so many steps. */
  readonly evaluate?: (state: State, at: Pick<StepPoint, 'step' | 'random'>) => AsyncIterable<Evaluation>;
  /**
   * Gives back what steps hold beside the state, such as memory of a device. Called when a run ends, however it ends; a later run may use
   * the task again.
   */
  readonly close?: () => void | Promise<void>;
}

/**
 * A task as a frozen value.
 *
 * @example
 * const task = defineTask({
 *   name: 'halve', config: {}, seed: 0, init: () => ({ x: 1 }),
 *   step: async ({ x }: { readonly x: number }) => ({ state: { x: x / 2 }, losses: { distance: x / 2 } }),
 * });
 * task.name; // => 'halve'
 */
export function defineTask<State>(task: Task<State>): Task<State> {
  return Object.freeze({ ...task });
}

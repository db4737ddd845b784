import type { Camera } from '@langevin/core';
import type { Generator } from '@langevin/tensor';
import type { Gaussians, ParameterName } from '../gaussians.ts';
import type { RowChange, Statistics } from '../optimizer/rows.ts';
import type { RenderGradients, Rendering } from '../rasterizer.ts';

/** What a strategy sees when it may change the Gaussians. */
export interface RefineContext {
  /** Steps done, this one included. */
  readonly step: number;
  /** Steps after which the run is planned to end: what is changed needs some of them to settle. */
  readonly plannedSteps: number;
  readonly gaussians: Gaussians;
  readonly statistics: Statistics;
  /** Of the scene, in world units. */
  readonly extent: number;
  /** The rate at which means learn now. */
  readonly meansRate: number;
  /** Numbers for this step alone: the same in every run of this seed. */
  readonly random: Generator;
}

/** A change of the Gaussians. */
export interface Refinement {
  /** Which rows there are afterwards. @default the same */
  readonly rows?: RowChange;
  /** Writes new values into the rows after the change. */
  readonly edit?: (gaussians: Gaussians) => void;
  /** Parameters whose moments begin at zero again. */
  readonly clearMoments?: readonly ParameterName[];
  /** Statistics begin at zero again. */
  readonly clearStatistics?: boolean;
  /** Counts for the log: added, removed, ... */
  readonly counts: Readonly<Record<string, number>>;
}

/** What suits a strategy best when nobody says otherwise. */
export interface StrategyDefaults {
  readonly opacity: number;
  readonly scale: number;
  readonly opacityRegularizer: number;
  readonly scaleRegularizer: number;
}

/** How the number of Gaussians changes while they are trained: a plugin in one file. State is in `statistics`, which follow the rows. */
export interface Strategy {
  readonly name: string;
  readonly paper: string;
  /** Its options as plain values, for the configuration of a run. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Arrays it keeps, by name, with the numbers of a row. */
  readonly statistics: Readonly<Record<string, number>>;
  readonly defaults: StrategyDefaults;
  /** Whether it looks at `absoluteMeans2d`, which costs time; those are zeros otherwise. @default false */
  readonly absoluteGradients?: boolean;
  /** Adds what a step showed to the statistics, in place. */
  readonly observe?: (seen: {
    readonly step: number;
    readonly plannedSteps: number;
    readonly statistics: Statistics;
    readonly rendering: Pick<Rendering, 'radii'>;
    readonly gradients: RenderGradients;
    readonly camera: Camera;
  }) => void;
  /** After the optimiser's step. */
  readonly refine: (context: RefineContext) => Refinement | undefined;
  /** Every step, after `refine`: changes values in place. */
  readonly perturb?: (context: RefineContext) => void;
}

/** The defaults of Kerbl et al. 2023. */
export const PLAIN_START: StrategyDefaults = { opacity: 0.1, scale: 1, opacityRegularizer: 0, scaleRegularizer: 0 };

import type { Camera } from '@langevin/core';
import type { Gaussians } from '@langevin/gaussians';
import type { PathFile } from '../files/dropped.ts';

/** Where the photographs come from. */
export type SceneChoice =
  { readonly kind: 'synthetic' } | { readonly kind: 'folder'; readonly name: string; readonly files: readonly PathFile[] };

export interface TrainingChoice {
  readonly steps: number;
  readonly strategy: string;
  /** Who draws: whatever is fastest here, or the CPU. */
  readonly device: 'auto' | 'cpu';
}

/** What the page asks of the worker. */
export type Order =
  /** Reads a scene; photographs get no longer sides than `side`. */
  | { readonly kind: 'load'; readonly scene: SceneChoice; readonly side: number }
  | { readonly kind: 'start'; readonly choice: TrainingChoice }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' }
  /** Which view is drawn beside its photograph. */
  | { readonly kind: 'look'; readonly view: number }
  /** Asks for the Gaussians as they are. */
  | { readonly kind: 'snapshot'; readonly reason: SnapshotReason };

export type SnapshotReason = 'stage' | 'ply' | 'spz';

/** A picture for a canvas. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4] */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

export interface ViewInfo {
  readonly name: string;
  readonly camera: Camera;
  /** Not trained on. */
  readonly held: boolean;
}

/** A step, for the curves. */
export interface StepPoint {
  readonly step: number;
  readonly loss: number;
  readonly psnr: number;
  readonly count: number;
  readonly milliseconds: number;
}

/** What the worker tells the page. */
export type News =
  | { readonly kind: 'reading'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'scene';
      readonly name: string;
      readonly views: readonly ViewInfo[];
      readonly points: number;
      readonly start: Gaussians;
      readonly look: number;
      /** What a user should know of how it was read, a sentence each. */
      readonly remarks: readonly string[];
    }
  | { readonly kind: 'photograph'; readonly view: number; readonly picture: Picture }
  | { readonly kind: 'started'; readonly drawnBy: string; readonly reasons: readonly string[] }
  | { readonly kind: 'steps'; readonly points: readonly StepPoint[]; readonly steps: number }
  | { readonly kind: 'picture'; readonly view: number; readonly step: number; readonly psnr: number; readonly picture: Picture }
  | { readonly kind: 'evaluation'; readonly step: number; readonly psnr: number; readonly ssim: number }
  | { readonly kind: 'snapshot'; readonly reason: SnapshotReason; readonly step: number; readonly gaussians: Gaussians }
  | { readonly kind: 'ended'; readonly step: number; readonly reason: 'finished' | 'stopped' }
  | { readonly kind: 'failed'; readonly message: string };

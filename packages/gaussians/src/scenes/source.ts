import type { LensCamera } from './lens.ts';

/** A photograph before its pixels are read. */
export interface ViewSource {
  readonly name: string;
  readonly imagePath: string;
  readonly maskPath?: string;
  readonly depth?: { readonly path: string; /** World units of 1 in the file. */ readonly unit: number };
  /** When it was taken, in the units of the files. */
  readonly time?: number;
  /** Rows of [R | t], 12 numbers. */
  readonly worldToCamera: readonly number[];
  /** The lens for a picture of this size, which not all files say. */
  readonly lens: (size: { readonly width: number; readonly height: number }) => LensCamera;
}

/** A view that the files list and that cannot be used. */
export interface LeftOutView {
  readonly name: string;
  /** `its picture is not there`, say. */
  readonly reason: string;
}

/** Points as files hold them, before the scene is moved to where float32 is fine enough. */
export interface SourcePoints {
  readonly count: number;
  /** World units, [count, 3]. */
  readonly positions: Float64Array;
  /** RGB, [count, 3]. */
  readonly colors: Uint8Array;
}

/** What the readers of the formats give. */
export interface SceneSource {
  readonly views: readonly ViewSource[];
  readonly leftOut: readonly LeftOutView[];
  readonly points?: SourcePoints;
  /** Names of views that the files hold out; empty when they do not say. */
  readonly heldOut: readonly string[];
  /** What a user should know of how the files were read, a sentence each. */
  readonly remarks: readonly string[];
}

import type { SceneBounds } from '@langevin/gaussians';
import type { PerspectiveCamera, Quaternion } from 'three';
import type { Slot } from '../files/asset.ts';

/** From where, and how the scene is turned into the page's world. */
export interface Viewpoint {
  readonly camera: PerspectiveCamera;
  readonly turn: Quaternion;
}

/** What a painter is to draw: Gaussians that the worker has. */
export interface Subject {
  readonly count: number;
  readonly bounds: SceneBounds;
  readonly antialiased: boolean;
  readonly slot: Slot;
}

/** Draws Gaussians on a canvas of the stage. */
export interface Painter {
  readonly name: string;
  readonly canvas: HTMLCanvasElement;
  /** Replaces what is shown. */
  readonly show: (subject: Subject) => Promise<void>;
  /** Moves what is shown to a time in 0..1. */
  readonly poseAt: (time: number) => void;
  /** In CSS pixels. */
  readonly resize: (width: number, height: number) => void;
  readonly draw: (viewpoint: Viewpoint) => void;
  readonly dispose: () => void;
}

/** What a painter tells the stage. */
export interface PainterEvents {
  /** A picture is on the canvas. */
  readonly onPicture: () => void;
  /** Another picture is due, although nothing moved. */
  readonly onDue: () => void;
}

/** What is behind every scene, 0..1. */
export const BACKDROP: readonly [number, number, number] = [0.043, 0.047, 0.055];

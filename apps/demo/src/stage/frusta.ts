import { Vector3, type PerspectiveCamera, type Quaternion } from 'three';
import type { NamedCamera } from '../files/asset.ts';
import { frustum } from './lens.ts';

const SVG = 'http://www.w3.org/2000/svg';

/** Cameras of a scene as little pyramids over the picture, whatever draws it. */
export interface Frusta {
  readonly set: (cameras: readonly NamedCamera[], turn: Quaternion, size: number) => void;
  readonly draw: (camera: PerspectiveCamera, width: number, height: number) => void;
  /** Which camera is at a place of the window. */
  readonly at: (x: number, y: number) => number | undefined;
  readonly select: (index: number | undefined) => void;
}

export function createFrusta(overlay: SVGSVGElement): Frusta {
  let shown: readonly { readonly path: SVGPathElement; readonly points: readonly Vector3[] }[] = [];
  return {
    set: (cameras, turn, size) => {
      shown = cameras.map(({ camera, name }, index) => {
        const path = document.createElementNS(SVG, 'path');
        path.dataset['index'] = String(index);
        const title = document.createElementNS(SVG, 'title');
        title.textContent = name;
        path.append(title);
        return { path, points: frustum(camera, turn, size) };
      });
      overlay.replaceChildren(...shown.map(({ path }) => path));
    },
    draw: (camera, width, height) => {
      for (const { path, points } of shown) path.setAttribute('d', outline(points, camera, [width, height]));
    },
    at: (x, y) => {
      const found = document
        .elementsFromPoint(x, y)
        .find((element): element is SVGPathElement => element instanceof SVGPathElement && overlay.contains(element));
      const index = found?.dataset['index'];
      return index === undefined ? undefined : Number(index);
    },
    select: (index) => {
      shown.forEach(({ path }, i) => path.classList.toggle('selected', i === index));
    },
  };
}

/** The lines of a pyramid in pixels; nothing when part of it is behind the camera. */
function outline(points: readonly Vector3[], camera: PerspectiveCamera, [width, height]: readonly [number, number]): string {
  const seen: string[] = [];
  const p = new Vector3();
  for (const point of points) {
    p.copy(point).applyMatrix4(camera.matrixWorldInverse);
    if (p.z > -camera.near) return '';
    p.applyMatrix4(camera.projectionMatrix);
    seen.push(`${(((p.x + 1) * width) / 2).toFixed(1)} ${(((1 - p.y) * height) / 2).toFixed(1)}`);
  }
  const [eye, a, b, c, d] = seen;
  return `M${a}L${b}L${c}L${d}ZM${eye}L${a}M${eye}L${b}M${eye}L${c}M${eye}L${d}`;
}

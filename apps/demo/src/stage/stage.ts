import { PerspectiveCamera, Quaternion, Spherical, Vector3 } from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import type { Asset, NamedCamera } from '../files/asset.ts';
import type { AssetWorker } from '../files/asset.worker.ts';
import type { Remote } from '../rpc.ts';
import { createFrusta } from './frusta.ts';
import { placeOf, uprightTurn, upOf } from './lens.ts';
import type { Painter, PainterEvents, Subject } from './painter.ts';
import { rasterPainter } from './raster-painter.ts';

export type PainterKind = 'spark' | 'raster';
export type Direction = readonly [number, number, number];

export interface StageOptions {
  readonly viewport: HTMLElement;
  readonly overlay: SVGSVGElement;
  readonly worker: Remote<AssetWorker>;
  /** Frames of the last second, 0 when nothing moves. */
  readonly onRate: (framesPerSecond: number) => void;
  readonly onCamera: (index: number | undefined) => void;
}

/** The interactive picture: an orbit around a scene, whoever draws it. */
export interface Stage {
  /** Chooses who draws; falls to our own rasterizer, and says so, where WebGL 2 is missing. */
  readonly paintWith: (kind: PainterKind) => Promise<string>;
  /** @param keepView where the eye stays, because it is the same scene a moment later */
  readonly show: (asset: Asset, options?: { readonly keepView?: boolean }) => Promise<void>;
  /** Moves the scene to a time in 0..1. */
  readonly poseAt: (time: number) => void;
  readonly reset: () => void;
  readonly jumpTo: (index: number) => void;
  readonly showCameras: (shown: boolean) => void;
  /** Which direction of the scene is upwards; undefined: what its photographs say. */
  readonly turnUp: (up: Direction | undefined) => void;
  readonly invalidate: () => void;
}

const FIELD_OF_VIEW = 45;
const NO_CAMERAS: readonly NamedCamera[] = [];

export function createStage({ viewport, overlay, worker, onRate, onCamera }: StageOptions): Stage {
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.01, 1000);
  const controls = new OrbitControls(camera, viewport);
  const frusta = createFrusta(overlay);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  controls.enableDamping = !calm.matches;
  controls.dampingFactor = 0.12;
  let painter: Painter | undefined;
  let asset: Asset | undefined;
  let subject: Subject | undefined;
  let time: number | undefined;
  let up: Direction | undefined;
  let turn = new Quaternion();
  let camerasShown = true;
  let flight: { readonly from: Place; readonly to: Place; readonly begin: number } | undefined;
  let scheduled = false;
  let frames = 0;
  let times: number[] = [];

  const size = { width: 0, height: 0 };
  const events: PainterEvents = {
    onPicture: () => {
      const now = performance.now();
      times = [...times.filter((time) => now - time < 1000), now];
      viewport.dataset['frames'] = String(++frames);
    },
    onDue: () => invalidate(),
  };

  const invalidate = (): void => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(frame);
  };
  const frame = (now: number): void => {
    scheduled = false;
    if (flight !== undefined) fly(now);
    const moving = controls.update();
    if (painter === undefined || size.width === 0) return;
    camera.updateMatrixWorld();
    painter.draw({ camera, turn });
    frusta.draw(camera, size.width, size.height);
    if (moving || flight !== undefined) invalidate();
  };
  setInterval(() => {
    const now = performance.now();
    times = times.filter((time) => now - time < 1000);
    onRate(times.length < 2 ? 0 : times.length);
  }, 500);

  new ResizeObserver(([entry]) => {
    const { width, height } = entry!.contentRect;
    Object.assign(size, { width: Math.round(width), height: Math.round(height) });
    if (size.width === 0 || size.height === 0) return;
    camera.aspect = size.width / size.height;
    camera.updateProjectionMatrix();
    overlay.setAttribute('viewBox', `0 0 ${size.width} ${size.height}`);
    painter?.resize(size.width, size.height);
    invalidate();
  }).observe(viewport);

  const place = (): Place => ({ eye: camera.position.clone(), target: controls.target.clone(), fieldOfView: camera.fov });
  const put = ({ eye, target, fieldOfView }: Place): void => {
    camera.position.copy(eye);
    controls.target.copy(target);
    camera.fov = fieldOfView;
    camera.updateProjectionMatrix();
    invalidate();
  };
  const fly = (now: number): void => {
    const { from, to, begin } = flight!;
    const part = Math.min(1, Math.max(0, (now - begin) / 450));
    const eased = part * part * (3 - 2 * part);
    put({
      eye: from.eye.clone().lerp(to.eye, eased),
      target: from.target.clone().lerp(to.target, eased),
      fieldOfView: from.fieldOfView + eased * (to.fieldOfView - from.fieldOfView),
    });
    if (part >= 1) flight = undefined;
  };
  const go = (to: Place): void => {
    if (calm.matches) return put(to);
    flight = { from: place(), to, begin: performance.now() };
    invalidate();
  };

  const cameras = (): readonly NamedCamera[] => asset?.cameras ?? NO_CAMERAS;
  const centre = (): Vector3 => new Vector3(...(asset?.facts.bounds.centre ?? [0, 0, 0])).applyQuaternion(turn);
  const radius = (): number => asset?.facts.bounds.radius ?? 1;
  const home = (): Place => {
    const photographed = cameras()[0];
    if (photographed !== undefined) return throughCamera(photographed);
    // Slightly from above, and so far away that the scene fills the smaller side.
    const half = Math.atan(Math.tan((FIELD_OF_VIEW * Math.PI) / 360) * Math.min(1, camera.aspect));
    const away = new Vector3(-0.35, 0.42, 1).normalize().multiplyScalar((1.25 * radius()) / Math.sin(half));
    return { eye: centre().add(away), target: centre(), fieldOfView: FIELD_OF_VIEW };
  };
  const throughCamera = ({ camera: taken }: NamedCamera): Place => {
    const { eye, forward, fieldOfView } = placeOf(taken, turn);
    // It turns about the point of its axis that is next to the middle of the scene.
    const ahead = Math.max(0.2 * radius(), centre().sub(eye).dot(forward));
    // A picture in portrait or on a narrow screen is seen whole.
    const wide = (360 / Math.PI) * Math.atan((Math.tan((fieldOfView * Math.PI) / 360) * (taken.width / taken.height)) / camera.aspect);
    return { eye, target: eye.clone().addScaledVector(forward, ahead), fieldOfView: Math.min(100, Math.max(fieldOfView, wide)) };
  };
  const arrange = (): void => {
    turn = uprightTurn(up ?? (cameras().length > 0 ? upOf(cameras().map(({ camera: taken }) => taken)) : [0, -1, 0]));
    const reach = Math.max(radius(), ...cameras().map(({ camera: taken }) => placeOf(taken, turn).eye.distanceTo(centre())));
    camera.near = reach / 500;
    camera.far = reach * 60;
    controls.minDistance = reach / 200;
    controls.maxDistance = reach * 20;
    camera.updateProjectionMatrix();
    frusta.set(camerasShown ? cameras() : NO_CAMERAS, turn, 0.12 * reach);
    invalidate();
  };
  const leaveCamera = (): void => {
    flight = undefined;
    frusta.select(undefined);
    onCamera(undefined);
  };

  controls.addEventListener('start', leaveCamera);
  controls.addEventListener('change', invalidate);
  viewport.addEventListener('keydown', (event) => {
    const moved = keyMoves[event.key];
    if (moved === undefined || event.ctrlKey || event.metaKey || event.altKey || event.target !== viewport) return;
    event.preventDefault();
    leaveCamera();
    const around = new Spherical().setFromVector3(camera.position.clone().sub(controls.target));
    moved(around);
    around.makeSafe();
    camera.position.setFromSpherical(around).add(controls.target);
    invalidate();
  });
  let pressed: { readonly x: number; readonly y: number } | undefined;
  viewport.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => {
    pressed = { x, y };
    viewport.focus({ preventScroll: true });
  });
  viewport.addEventListener('pointerup', ({ clientX: x, clientY: y }) => {
    // A click, not the end of a turn.
    if (pressed === undefined || Math.hypot(x - pressed.x, y - pressed.y) > 5) return;
    const index = frusta.at(x, y);
    if (index !== undefined) stage.jumpTo(index);
  });

  const stage: Stage = {
    paintWith: async (kind) => {
      const made =
        kind === 'spark'
          ? await import('./spark-painter.ts')
              .then(({ sparkPainter }) => sparkPainter(worker, events))
              .catch(() => rasterPainter(worker, events))
          : rasterPainter(worker, events);
      painter?.canvas.remove();
      painter?.dispose();
      painter = made;
      viewport.prepend(made.canvas);
      viewport.dataset['painter'] = made.name;
      if (size.width > 0) made.resize(size.width, size.height);
      if (subject !== undefined) await made.show(subject);
      if (time !== undefined) made.poseAt(time);
      invalidate();
      return made.name;
    },
    show: async (given, { keepView = false } = {}) => {
      asset = given;
      time = undefined;
      subject = { count: given.facts.count, bounds: given.facts.bounds, antialiased: given.facts.antialiased, slot: given.slot };
      if (!keepView) {
        flight = undefined;
        arrange();
        put(home());
      }
      await painter?.show(subject);
    },
    poseAt: (given) => {
      time = given;
      painter?.poseAt(given);
    },
    reset: () => {
      leaveCamera();
      go(home());
    },
    jumpTo: (index) => {
      const taken = cameras()[index];
      if (taken === undefined) return;
      frusta.select(index);
      onCamera(index);
      go(throughCamera(taken));
    },
    showCameras: (shown) => {
      camerasShown = shown;
      arrange();
    },
    turnUp: (given) => {
      up = given;
      arrange();
      put(home());
    },
    invalidate,
  };
  return stage;
}

interface Place {
  readonly eye: Vector3;
  readonly target: Vector3;
  readonly fieldOfView: number;
}

const STEP = Math.PI / 24;
const keyMoves: Readonly<Record<string, (around: Spherical) => void>> = {
  ArrowLeft: (around) => void (around.theta -= STEP),
  ArrowRight: (around) => void (around.theta += STEP),
  ArrowUp: (around) => void (around.phi -= STEP),
  ArrowDown: (around) => void (around.phi += STEP),
  '+': (around) => void (around.radius /= 1.15),
  '=': (around) => void (around.radius /= 1.15),
  '-': (around) => void (around.radius *= 1.15),
};

import {
  createRasterizer,
  gaussiansFromPoints,
  PARAMETERS,
  pictureOf,
  psnr,
  randomPoints,
  readScene,
  stillScene,
  strategyByName,
  trainSplats,
  type Gaussians,
  type ParameterName,
  type Rasterizer,
  type SceneView,
  type SplatScene,
} from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { messageOf, type WorkerScope } from '../rpc.ts';
import { droppedFolder } from './dropped-folder.ts';
import type { News, Order, Picture, SceneChoice, SnapshotReason, StepPoint, TrainingChoice } from './protocol.ts';
import { syntheticScene } from './synthetic.ts';

// Training runs here, so that the page stays free. Between two steps the loop gives way, and orders come in.

const scope = globalThis as unknown as WorkerScope;
const tell = (news: News, transfer: readonly Transferable[] = []): void => scope.postMessage(news, transfer);

/** Time between two pictures, and between two reports of steps, in ms. */
const PICTURE_EVERY = 500;
const REPORT_EVERY = 120;
/** Points to begin with where a scene has none. */
const RANDOM_POINTS = 8000;

let scene: SplatScene | undefined;
let views: readonly SceneView[] = [];
let gaussians: Gaussians | undefined;
let step = 0;
let look = 0;
let rasterizer:
  | {
      readonly device: TrainingChoice['device'];
      readonly made: Promise<{ readonly rasterizer: Rasterizer; readonly reasons: readonly string[] }>;
    }
  | undefined;
let running: AbortController | undefined;
let paused: { readonly promise: Promise<void>; readonly go: () => void } | undefined;

scope.onmessage = ({ data }) => {
  obey(data as Order).catch((error: unknown) => tell({ kind: 'failed', message: messageOf(error) }));
};

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'load':
      return load(order.scene, order.side);
    case 'start':
      return start(order.choice);
    case 'pause':
      if (running === undefined || paused !== undefined) return;
      paused = gate();
      return showPicture();
    case 'resume':
      return release();
    case 'stop':
      running?.abort();
      return release();
    case 'look':
      look = order.view;
      showPhotograph();
      return showPicture();
    case 'snapshot':
      return snapshot(order.reason);
  }
}

function release(): void {
  paused?.go();
  paused = undefined;
}

function gate(): { readonly promise: Promise<void>; readonly go: () => void } {
  let go = (): void => {};
  const promise = new Promise<void>((resolve) => (go = resolve));
  return { promise, go };
}

async function rasterizerFor(
  device: TrainingChoice['device'],
): Promise<{ readonly rasterizer: Rasterizer; readonly reasons: readonly string[] }> {
  if (rasterizer?.device !== device) {
    void rasterizer?.made.then((before) => before.rasterizer.dispose());
    rasterizer = { device, made: createRasterizer(device === 'cpu' ? { prefer: 'cpu' } : {}) };
  }
  return rasterizer.made;
}

async function load(choice: SceneChoice, side: number): Promise<void> {
  running?.abort();
  release();
  const read =
    choice.kind === 'synthetic'
      ? await syntheticScene((await rasterizerFor('cpu')).rasterizer, side)
      : await readScene(droppedFolder(choice.name, choice.files), {
          maxSide: side,
          onView: (progress) => tell({ kind: 'reading', ...progress }),
        });
  // The page trains what stands still; what moves begins so as well.
  const still = read.times === undefined ? undefined : stillScene(read);
  scene = still ?? read;
  views = [...scene.train, ...scene.test].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const points =
    read.points ?? randomPoints({ count: RANDOM_POINTS, halfSide: read.extent, random: counterGenerator({ seed: 0, stream: [5] }) });
  gaussians = gaussiansFromPoints(points, { degree: 3 });
  step = 0;
  // A view that is not trained on shows what was learnt.
  look = Math.max(0, views.indexOf(scene.test[scene.test.length >> 1] ?? scene.train[0]!));
  tell({
    kind: 'scene',
    name: read.name,
    views: views.map((view) => ({ name: view.name, camera: view.camera, held: read.test.includes(view) })),
    points: read.points?.count ?? 0,
    start: gaussians,
    look,
    remarks: [...(read.remarks ?? []), ...(still === undefined ? [] : [stillRemark(read, still)])],
  });
  showPhotograph();
  await showPicture();
}

function stillRemark({ name, times, train }: SplatScene, still: ReturnType<typeof stillScene>): string {
  const chosen =
    still.from === 'first'
      ? `the ${still.train.length} photographs of the first moment`
      : `all ${train.length} photographs, as few are of one moment`;
  return (
    `This scene moves, from ${times!.start} to ${times!.end}, and the page trains it as if it stood still, on ${chosen}: held-out views of `
    + `other moments are not met. "langevin splat train ${name}" trains its motion`
  );
}

async function start({ steps, strategy, device }: TrainingChoice): Promise<void> {
  if (scene === undefined || gaussians === undefined) return;
  running?.abort();
  release();
  const mine = new AbortController();
  running = mine;
  const chosen = await rasterizerFor(device);
  const { kind } = chosen.rasterizer;
  tell({ kind: 'started', drawnBy: kind, reasons: chosen.reasons });
  let points: StepPoint[] = [];
  let reported = 0;
  let drawn = performance.now();
  const report = (): void => {
    if (points.length > 0) tell({ kind: 'steps', points, steps });
    points = [];
    reported = performance.now();
  };
  const strategyMade = strategyByName(strategy);
  const initial =
    scene.points === undefined
      ? gaussians
      : gaussiansFromPoints(scene.points, { degree: 3, opacity: strategyMade.defaults.opacity, scale: strategyMade.defaults.scale });
  for await (const event of trainSplats({
    scene,
    rasterizer: chosen.rasterizer,
    steps,
    strategy: strategyMade,
    initial,
    signal: mine.signal,
    onAbort: 'evaluate',
  })) {
    if (running !== mine) return;
    switch (event.kind) {
      case 'start':
        ({ step } = event);
        break;
      case 'done':
        ({ step } = event);
        ({ gaussians } = event.state);
        break;
      case 'step': {
        ({ step } = event);
        ({ gaussians } = event.state);
        points.push({
          step,
          loss: event.losses['loss']!,
          psnr: event.measures!['psnr']!,
          count: gaussians.count,
          milliseconds: event.milliseconds,
        });
        if (performance.now() - reported > REPORT_EVERY) report();
        if (performance.now() - drawn > PICTURE_EVERY) {
          await showPicture();
          drawn = performance.now();
        }
        break;
      }
      case 'numbers':
        tell({ kind: 'evaluation', step: event.step, psnr: event.values['heldOutPsnr']!, ssim: event.values['heldOutSsim']! });
        break;
      case 'artifact':
      case 'checkpoint':
        break;
    }
    await breathe();
    if (paused !== undefined && event.kind === 'step') {
      report();
      await paused.promise;
    }
  }
  report();
  running = undefined;
  await showPicture();
  tell({ kind: 'ended', step, reason: step >= steps ? 'finished' : 'stopped' });
}

const channel = new MessageChannel();

/** Lets the messages in that came meanwhile. A timer would wait four milliseconds for nothing. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(0);
  });
}

function showPhotograph(): void {
  const view = views[look];
  if (view === undefined) return;
  const { width, height } = view.camera;
  const picture = { width, height, pixels: rgba(pictureOf(view.image, [0, 0, 0])) };
  tell({ kind: 'photograph', view: look, picture }, [picture.pixels.buffer]);
}

async function showPicture(): Promise<void> {
  const index = look;
  const view = views[index];
  if (view === undefined || gaussians === undefined) return;
  const made = await (rasterizer?.made ?? rasterizerFor('cpu'));
  const at = step;
  const { color } = await made.rasterizer.render(gaussians, view.camera, {});
  const clipped = color.map((value) => Math.min(1, Math.max(0, value)));
  const { width, height } = view.camera;
  const picture: Picture = { width, height, pixels: rgba(clipped) };
  tell({ kind: 'picture', view: index, step: at, psnr: psnr(clipped, pictureOf(view.image, [0, 0, 0])), picture }, [picture.pixels.buffer]);
}

function snapshot(reason: SnapshotReason): void {
  if (gaussians === undefined) return;
  // Copies: the arrays change with the next step, and may lie in memory that the threads of the kernels share.
  const copy: Gaussians = {
    ...gaussians,
    ...(Object.fromEntries(PARAMETERS.map((name) => [name, Float32Array.from(gaussians![name])])) as Record<ParameterName, Float32Array>),
  };
  tell({ kind: 'snapshot', reason, step, gaussians: copy });
}

function rgba(color: Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((color.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < color.length; from += 3, to += 4) for (let c = 0; c < 3; c++) pixels[to + c] = 255 * color[from + c]!;
  return pixels;
}

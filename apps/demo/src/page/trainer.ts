import { sceneBounds, type Gaussians } from '@langevin/gaussians';
import { boxAround, type Asset } from '../files/asset.ts';
import type { AssetWorker } from '../files/asset.worker.ts';
import type { Remote } from '../rpc.ts';
import type { Stage } from '../stage/stage.ts';
import { createChart } from '../train/chart.ts';
import { createCurve } from '../train/curve.ts';
import type { News, Order, Picture, SceneChoice, SnapshotReason, ViewInfo } from '../train/protocol.ts';
import { box, button, byId, download, fill, press, select, setText } from './elements.ts';
import { count, figure } from './format.ts';
import { attempt, hideFault, say, showFault } from './messages.ts';
import { choose, listCameras } from './viewer.ts';

/** The half of the page that trains. */
export interface Trainer {
  readonly load: (scene: SceneChoice) => void;
  /** Comes to the stage; loads the built-in scene when there is none yet. */
  readonly enter: () => void;
  readonly leave: () => void;
}

type State = 'empty' | 'loading' | 'ready' | 'running' | 'paused' | 'ended';

/** Time between two copies of the Gaussians for looking around, in ms. */
const SNAPSHOT_EVERY = 1200;

export interface TrainerOptions {
  readonly stage: Stage;
  readonly worker: Remote<AssetWorker>;
  /** Hands the result to the viewer. */
  readonly onView: (asset: Asset) => void;
}

export function createTrainer({ stage, worker, onView }: TrainerOptions): Trainer {
  const training = new Worker(new URL('../train/train.worker.ts', import.meta.url), { type: 'module' });
  const order = (what: Order): void => training.postMessage(what);
  const photograph = byId('photograph', HTMLCanvasElement);
  const rendering = byId('rendering', HTMLCanvasElement);
  const chart = createChart(box('chart'));
  let curve = createCurve();
  let state: State = 'empty';
  let scene: SceneChoice | undefined;
  let name = 'scene';
  let views: readonly ViewInfo[] = [];
  let drawnBy = '–';
  let onStage = false;
  let around = false;
  /** What the stage shows of the training; its bounds stay, so that nothing jumps. */
  let shown: Asset | undefined;
  let viewIt = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const become = (next: State): void => {
    state = next;
    document.body.dataset['training'] = next;
    const busy = next === 'running' || next === 'paused';
    button('start').disabled = busy || next === 'empty' || next === 'loading';
    setText('start', next === 'ended' ? 'Start again' : 'Start');
    button('pause').disabled = !busy;
    setText('pause', next === 'paused' ? 'Resume' : 'Pause');
    button('stop').disabled = !busy;
    for (const id of ['result-ply', 'result-spz', 'result-view'])
      button(id).disabled = next === 'empty' || next === 'loading' || next === 'ready';
    for (const id of ['steps', 'side', 'strategy', 'device']) select(id).disabled = busy;
  };

  const load = (choice: SceneChoice): void => {
    scene = choice;
    hideFault();
    become('loading');
    say(choice.kind === 'synthetic' ? 'Taking pictures of the built-in scene …' : 'Reading photographs …');
    press(button('source-synthetic'), { on: choice.kind === 'synthetic' });
    order({ kind: 'load', scene: choice, side: Number(select('side').value) });
  };

  const assetOf = (gaussians: Gaussians): Asset => ({
    slot: 'train',
    cameras: views.map(({ name: of, camera }) => ({ name: of, camera })),
    facts: {
      name,
      format: 'trained here',
      count: gaussians.count,
      degree: gaussians.degree,
      box: boxAround(gaussians),
      bounds: shown?.facts.bounds ?? sceneBounds(gaussians),
      antialiased: false,
      dropped: 0,
    },
  });

  const showAround = async (gaussians: Gaussians, { keepView }: { readonly keepView: boolean }): Promise<void> => {
    const asset = assetOf(gaussians);
    shown = asset;
    await worker.take({ slot: 'train', gaussians });
    if (onStage && around) await stage.show(asset, { keepView });
  };

  const arrange = (): void => {
    box('compare').hidden = !onStage || around;
    box('look').hidden = !onStage;
    box('chart').hidden = !onStage;
    box('viewport').hidden = onStage && !around;
    box('stage-tools').hidden = onStage && !around;
    choose(
      ...((around ? [button('look-around'), button('look-compare')] : [button('look-compare'), button('look-around')]) as [
        HTMLElement,
        HTMLElement,
      ]),
    );
  };

  const look = (next: boolean): void => {
    around = next;
    arrange();
    clearTimeout(timer);
    if (!around || shown === undefined) return;
    listCameras(shown.cameras ?? []);
    void attempt(() => stage.show(shown!));
    order({ kind: 'snapshot', reason: 'stage' });
  };

  const hear = (news: News): void => {
    switch (news.kind) {
      case 'reading':
        return say(`Photograph ${news.done} of ${news.total}`);
      case 'scene':
        return sceneRead(news);
      case 'photograph':
        return paint(photograph, news.picture);
      case 'started':
        drawnBy =
          news.drawnBy === 'webgpu'
            ? 'WebGPU'
            : crossOriginIsolated
              ? `CPU, ${Math.min(8, navigator.hardwareConcurrency)} threads`
              : 'CPU, 1 thread';
        setText('train-device', drawnBy);
        box('train-device').title = news.reasons.join('\n');
        return;
      case 'steps':
        return stepsDone(news);
      case 'picture':
        paint(rendering, news.picture);
        setText('rendering-note', `· ${news.psnr.toFixed(2)} dB`);
        setText('train-psnr', `${news.psnr.toFixed(2)} dB`);
        box('train-psnr').dataset['step'] = String(news.step);
        curve.measure(news.step, news.psnr);
        return chart.draw(curve.columns());
      case 'evaluation':
        return setText('train-held', `${news.psnr.toFixed(2)} dB, SSIM ${news.ssim.toFixed(3)}`);
      case 'snapshot':
        return void attempt(() => snapshotTaken(news.reason, news.gaussians));
      case 'ended':
        become('ended');
        say(news.reason === 'finished' ? `${count(news.step)} steps done.` : `Stopped after ${count(news.step)} steps.`);
        if (around) order({ kind: 'snapshot', reason: 'stage' });
        return;
      case 'failed':
        become(shown === undefined ? 'empty' : 'ended');
        return showFault(news.message);
    }
  };

  const sceneRead = (news: News & { readonly kind: 'scene' }): void => {
    ({ name, views } = news);
    shown = undefined;
    curve = createCurve();
    clearNumbers();
    fill(
      select('view'),
      views.map((view, i) => ({ value: String(i), text: view.held ? `${view.name} (held out)` : view.name })),
    );
    select('view').value = String(news.look);
    const held = views.filter((view) => view.held).length;
    const first = views[0]!.camera;
    setText(
      'source-hint',
      scene?.kind === 'synthetic'
        ? `Not photographs: ${views.length} pictures of a procedural still life, taken by our own rasterizer from a sphere around it, `
            + `${first.width} × ${first.height}; ${held} held out. It begins with ${count(news.points)} rough points.`
        : [
            `${news.name}: ${views.length} photographs, ${first.width} × ${first.height}; ${held} held out.`,
            `It begins with ${news.points > 0 ? `the ${count(news.points)} points of the model` : 'random points'}.`,
            ...news.remarks.map((remark) => `${remark.charAt(0).toUpperCase()}${remark.slice(1).replace(/\.$/u, '')}.`),
          ].join(' '),
    );
    setText('photograph-caption', scene?.kind === 'synthetic' ? 'Picture to match' : 'Photograph');
    void attempt(() => showAround(news.start, { keepView: false }));
    if (onStage && around) listCameras(shown!.cameras ?? []);
    become('ready');
    say('Ready to train.');
  };

  const stepsDone = ({ points, steps }: News & { readonly kind: 'steps' }): void => {
    const last = points.at(-1)!;
    curve.add(points);
    chart.draw(curve.columns());
    setText('train-step', `${count(last.step)} of ${count(steps)}`);
    setText('train-count', count(last.count));
    setText('train-loss', figure(last.loss));
    const paces = points.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    setText('train-pace', figure(paces[paces.length >> 1]!));
    byId('progress', HTMLProgressElement).value = last.step / steps;
    box('train-step').dataset['step'] = String(last.step);
  };

  const snapshotTaken = async (reason: SnapshotReason, gaussians: Gaussians): Promise<void> => {
    if (reason === 'stage') {
      await showAround(gaussians, { keepView: true });
      if (viewIt) onView(assetOf(gaussians));
      viewIt = false;
      clearTimeout(timer);
      if (around && onStage && state === 'running') timer = setTimeout(() => order({ kind: 'snapshot', reason: 'stage' }), SNAPSHOT_EVERY);
      return;
    }
    await worker.take({ slot: 'train', gaussians });
    download(await worker.save({ slot: 'train', format: reason }), `${name.replaceAll(/[^\w.-]+/gu, '-').toLowerCase()}.${reason}`);
  };

  const begin = (): void => {
    hideFault();
    curve = createCurve();
    clearNumbers();
    become('running');
    say('Training …');
    // On a phone the picture is above the button.
    box('stage').scrollIntoView({ block: 'nearest' });
    order({
      kind: 'start',
      choice: {
        steps: Number(select('steps').value),
        strategy: select('strategy').value,
        device: select('device').value === 'cpu' ? 'cpu' : 'auto',
      },
    });
    if (around) order({ kind: 'snapshot', reason: 'stage' });
  };

  training.onmessage = ({ data }: MessageEvent<News>) => hear(data);
  training.onerror = (event) => showFault(event.message || 'The worker that trains could not start.');
  button('start').addEventListener('click', begin);
  button('pause').addEventListener('click', () => {
    const resume = state === 'paused';
    order({ kind: resume ? 'resume' : 'pause' });
    become(resume ? 'running' : 'paused');
    say(resume ? 'Training …' : 'Paused.');
    if (resume && around) order({ kind: 'snapshot', reason: 'stage' });
  });
  button('stop').addEventListener('click', () => order({ kind: 'stop' }));
  button('look-compare').addEventListener('click', () => look(false));
  button('look-around').addEventListener('click', () => look(true));
  button('source-synthetic').addEventListener('click', () => load({ kind: 'synthetic' }));
  select('view').addEventListener('change', () => order({ kind: 'look', view: Number(select('view').value) }));
  select('side').addEventListener('change', () => {
    if (scene !== undefined) load(scene);
  });
  button('result-ply').addEventListener('click', () => order({ kind: 'snapshot', reason: 'ply' }));
  button('result-spz').addEventListener('click', () => order({ kind: 'snapshot', reason: 'spz' }));
  button('result-view').addEventListener('click', () => {
    viewIt = true;
    order({ kind: 'snapshot', reason: 'stage' });
  });
  become('empty');

  return {
    load,
    enter: () => {
      onStage = true;
      arrange();
      if (state === 'empty') load({ kind: 'synthetic' });
      else if (around) look(true);
    },
    leave: () => {
      onStage = false;
      clearTimeout(timer);
      arrange();
    },
  };
}

function clearNumbers(): void {
  for (const figure of ['step', 'count', 'psnr', 'loss', 'pace', 'held', 'device']) setText(`train-${figure}`, '–');
  setText('rendering-note', '');
  byId('progress', HTMLProgressElement).value = 0;
}

function paint(canvas: HTMLCanvasElement, { width, height, pixels }: Picture): void {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, width, height), 0, 0);
}

import './style.css';
import { chosenFiles, droppedFiles, intentOf, type PathFile } from './files/dropped.ts';
import type { AssetWorker } from './files/asset.worker.ts';
import { box, button, byId, input, setText } from './page/elements.ts';
import { createLoading } from './page/loading.ts';
import { attempt, connectMessages } from './page/messages.ts';
import { createTrainer } from './page/trainer.ts';
import { choose, connectCameras, createViewer } from './page/viewer.ts';
import { connect } from './rpc.ts';
import { createStage } from './stage/stage.ts';

connectMessages();
const worker = connect<AssetWorker>(new Worker(new URL('./files/asset.worker.ts', import.meta.url), { type: 'module' }));
let onCamera: (index: number | undefined) => void = () => {};
const stage = createStage({
  viewport: box('viewport'),
  overlay: byId('frusta', SVGSVGElement),
  worker,
  onRate: (rate) => setText('fact-rate', rate === 0 ? 'still' : String(rate)),
  onCamera: (index) => onCamera(index),
});
onCamera = connectCameras(stage);
const viewer = createViewer(stage, worker, createLoading());
const trainer = createTrainer({
  stage,
  worker,
  onView: (asset) => {
    show('view', { resume: false });
    void viewer.take(asset);
  },
});

type Mode = 'view' | 'train';

function show(mode: Mode, { resume = true } = {}): void {
  document.body.dataset['mode'] = mode;
  const [on, off] = mode === 'view' ? [button('mode-view'), button('mode-train')] : [button('mode-train'), button('mode-view')];
  choose(on, off);
  box('panel-view').hidden = mode !== 'view';
  box('panel-train').hidden = mode !== 'train';
  if (mode === 'train') {
    viewer.leave();
    trainer.enter();
  } else {
    trainer.leave();
    if (resume) void viewer.resume();
  }
}

function take(files: readonly PathFile[]): Promise<void> {
  return attempt(async () => {
    const intent = intentOf(files);
    if (intent.kind === 'scene') {
      trainer.load({ kind: 'folder', name: intent.name, files: intent.files });
      return show('train');
    }
    if (document.body.dataset['mode'] !== 'view') show('view', { resume: false });
    await viewer.open(intent.file);
  });
}

button('mode-view').addEventListener('click', () => show('view'));
button('mode-train').addEventListener('click', () => show('train'));
button('reset').addEventListener('click', () => stage.reset());
document.addEventListener('keydown', ({ key, target, ctrlKey, metaKey }) => {
  const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (key.toLowerCase() === 'r' && !typing && !ctrlKey && !metaKey) stage.reset();
});
const folder = input('folder');
folder.addEventListener('change', () => {
  const files = chosenFiles(folder.files!);
  folder.value = '';
  if (files.length > 0) void take(files);
});

const hint = box('drop-hint');
addEventListener('dragover', (event) => {
  event.preventDefault();
  hint.hidden = false;
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) hint.hidden = true;
});
addEventListener('drop', (event) => {
  event.preventDefault();
  hint.hidden = true;
  const { dataTransfer } = event;
  if (dataTransfer !== null) void attempt(async () => take(await droppedFiles(dataTransfer)));
});

show('view');

import type { Asset, NamedCamera } from '../files/asset.ts';
import type { AssetWorker } from '../files/asset.worker.ts';
import { checkAssetFile } from '../files/dropped.ts';
import { createPlayer } from '../motion/player.ts';
import type { Remote } from '../rpc.ts';
import type { Direction, PainterKind, Stage } from '../stage/stage.ts';
import { box, button, download, fill, input, press, select, setText } from './elements.ts';
import { bounds, bytes, count } from './format.ts';
import type { Loading } from './loading.ts';
import { attempt, hideFault, say } from './messages.ts';

/** The half of the page that opens files and shows them. */
export interface Viewer {
  readonly open: (file: File) => Promise<void>;
  readonly example: (which: 'still-life' | 'swaying') => Promise<void>;
  /** Shows what was made elsewhere. */
  readonly take: (asset: Asset) => Promise<void>;
  /** Puts what was opened back on the stage. */
  readonly resume: () => Promise<void>;
  readonly leave: () => void;
  readonly hasAsset: () => boolean;
}

export function createViewer(stage: Stage, worker: Remote<AssetWorker>, loading: Loading): Viewer {
  const player = createPlayer((time) => stage.poseAt(time));
  let asset: Asset | undefined;

  const show = async (given: Asset): Promise<void> => {
    asset = given;
    hideFault();
    describe(given);
    listCameras(given.cameras ?? []);
    await stage.show(given);
    player.set(given.facts.times);
    const { dropped, stillBecause, count: rows } = given.facts;
    say(
      [
        `${count(rows)} Gaussians.`,
        dropped > 0 ? `${count(dropped)} were left out: they hold no numbers.` : '',
        stillBecause === undefined ? '' : `It stands still: ${stillBecause}`,
      ]
        .filter(Boolean)
        .join(' '),
    );
  };

  const viewer: Viewer = {
    open: (file) =>
      attempt(async () => {
        checkAssetFile(file);
        say(`Reading ${file.name} …`);
        await show(await worker.open({ file, name: file.name }));
      }),
    example: (which) => attempt(async () => show(await worker.example({ which }))),
    take: (given) =>
      attempt(async () => {
        await worker.keepTrained();
        await show({ ...given, slot: 'view' });
      }),
    resume: () => (asset === undefined ? loading.until('the first scene', viewer.example('still-life')) : show(asset)),
    leave: () => player.set(undefined),
    hasAsset: () => asset !== undefined,
  };

  const chooser = input('file');
  chooser.addEventListener('change', () => {
    const [file] = chooser.files ?? [];
    if (file !== undefined) void viewer.open(file);
    chooser.value = '';
  });
  button('example-still').addEventListener('click', () => void viewer.example('still-life'));
  button('example-moving').addEventListener('click', () => void viewer.example('swaying'));

  const painter = select('painter');
  const paintWith = (kind: PainterKind): Promise<void> =>
    attempt(async () => {
      const name = await stage.paintWith(kind);
      setText('fact-painter', name);
      if (!name.startsWith('Spark')) painter.value = 'raster';
    });
  painter.addEventListener('change', () => void paintWith(painter.value as PainterKind));
  void loading.until('what draws it', paintWith('spark'));

  const up = select('up');
  up.addEventListener('change', () =>
    stage.turnUp(up.value === 'auto' ? undefined : (up.value.split(',').map(Number) as unknown as Direction)),
  );

  void attempt(async () => {
    const formats = await worker.formats();
    box('save').replaceChildren(
      ...formats.map(({ name, end }) => {
        const made = document.createElement('button');
        made.type = 'button';
        made.textContent = name === '4d' ? '4D' : name.toUpperCase();
        made.dataset['format'] = name;
        made.addEventListener(
          'click',
          () => void attempt(async () => download(await worker.save({ slot: 'view', format: name }), `${stem(asset?.facts.name)}${end}`)),
        );
        return made;
      }),
    );
  });
  return viewer;
}

/** Fills the list of cameras to look through; hides it when there are none. */
export function listCameras(cameras: readonly NamedCamera[]): void {
  box('cameras').hidden = cameras.length === 0;
  fill(select('camera'), [{ value: '', text: 'Cameras' }, ...cameras.map(({ name }, i) => ({ value: String(i), text: name }))]);
}

/** Connects the list, its arrows and the switch of the pyramids with the stage. */
export function connectCameras(stage: Stage): (index: number | undefined) => void {
  const list = select('camera');
  const step = (by: number): void => {
    const last = list.options.length - 2;
    const at = list.value === '' ? (by > 0 ? -1 : last + 1) : Number(list.value);
    stage.jumpTo((at + by + last + 1) % (last + 1));
  };
  list.addEventListener('change', () => {
    if (list.value !== '') stage.jumpTo(Number(list.value));
  });
  button('camera-previous').addEventListener('click', () => step(-1));
  button('camera-next').addEventListener('click', () => step(1));
  const shown = input('frusta-shown');
  shown.addEventListener('change', () => stage.showCameras(shown.checked));
  return (index) => {
    list.value = index === undefined ? '' : String(index);
  };
}

function describe({ facts }: Asset): void {
  setText('fact-name', facts.name);
  setText('fact-count', count(facts.count));
  setText('fact-bytes', facts.bytes === undefined ? '–' : bytes(facts.bytes));
  setText('fact-format', facts.format);
  setText('fact-degree', String(facts.degree));
  setText('fact-bounds', bounds(facts.box));
}

function stem(name = 'gaussians'): string {
  return (
    name
      .replace(/(?:\.compressed)?\.[^.]*$/u, '')
      .replaceAll(/[^\w.-]+/gu, '-')
      .toLowerCase() || 'gaussians'
  );
}

/** One of two switches is on. */
export function choose(on: HTMLElement, off: HTMLElement): void {
  press(on, { on: true });
  press(off, { on: false });
}

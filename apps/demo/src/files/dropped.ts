/** A file with its path below what was dropped or opened. */
export interface PathFile {
  readonly path: string;
  readonly file: File;
}

/** What somebody wants to look at: one file of Gaussians, or the folder of a scene to train on. */
export type Intent =
  { readonly kind: 'asset'; readonly file: File } | { readonly kind: 'scene'; readonly name: string; readonly files: readonly PathFile[] };

/** More than any capture has; a dropped disk would never end. */
const MOST_FILES = 20_000;

/** Files of a drop, those in folders included. */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly PathFile[]> {
  // To be asked before the first await: the list is empty afterwards.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const found: PathFile[] = [];
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

/** Files of an `<input type="file">`, with their paths when it took a folder. */
export function chosenFiles(files: FileList): readonly PathFile[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function walk(entry: FileSystemEntry, above: string, found: PathFile[]): Promise<void> {
  if (found.length >= MOST_FILES) throw new Error(`More than ${MOST_FILES} files. Choose the folder of one scene.`);
  const path = above === '' ? entry.name : `${above}/${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const child of some) await walk(child, path, found);
  }
}

const MARKERS = /(?:^|\/)(?:transforms(?:_train)?\.json|cameras\.(?:bin|txt))$/u;

const PICTURE = /\.(?:png|jpe?g|webp|gif|bmp|tiff?|heic|avif)$/iu;
const WITHOUT_POSES =
  'transforms.json or a COLMAP model (sparse/0 with cameras.bin or cameras.txt) is missing. COLMAP, or ns-process-data of nerfstudio, '
  + 'makes one of photographs; choose the folder that has both.';

const pictureOf = (files: readonly PathFile[]): string =>
  files
    .map(({ path }) => path)
    .filter((path) => PICTURE.test(path))
    .sort()[0]!;

/** @throws Error for a file that is a picture: one that is dropped alone is meant to be trained on */
export function checkAssetFile({ name }: Pick<File, 'name'>): void {
  if (PICTURE.test(name))
    throw new Error(
      `${name} is a picture, not a file of Gaussians. To train on photographs, choose their folder under Train: with `
        + WITHOUT_POSES.replace(' is missing', ''),
    );
}

/** Tells a scene from a file of Gaussians. Paths of a scene start at its top, below which its `sparse` or `transforms.json` lies. */
export function intentOf(files: readonly PathFile[]): Intent {
  const [first] = files;
  if (first === undefined) throw new Error('Nothing was dropped that could be read.');
  const marker = files
    .map(({ path }) => path)
    .filter((path) => MARKERS.test(path))
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))[0];
  if (marker === undefined) {
    if (files.length === 1) {
      checkAssetFile(first.file);
      return { kind: 'asset', file: first.file };
    }
    const splats = files.filter(({ path }) => /\.(?:ply|splat|spz|splats4d|safetensors)$/iu.test(path));
    if (splats.length === 1) return { kind: 'asset', file: splats[0]!.file };
    if (splats.length > 1)
      throw new Error(
        `${splats.length} files of Gaussians, such as ${splats[0]!.file.name} and ${splats[1]!.file.name}. Open one at a time.`,
      );
    const pictures = files.filter(({ path }) => PICTURE.test(path)).length;
    const what =
      pictures > 0 ? `${pictures} ${pictures === 1 ? 'picture' : 'pictures'}, such as ${pictureOf(files)}` : `${files.length} files`;
    throw new Error(`${what}, but nothing that says from where they were taken: ${WITHOUT_POSES} For a file of Gaussians, open it alone.`);
  }
  const top = marker.replace(/(?:(?:^|\/)(?:colmap\/)?sparse(?:\/\d+)?)?\/?[^/]+$/u, '');
  const below = top === '' ? '' : `${top}/`;
  return {
    kind: 'scene',
    name: top.split('/').at(-1) || 'scene',
    files: files.filter(({ path }) => path.startsWith(below)).map(({ path, file }) => ({ path: path.slice(below.length), file })),
  };
}

// What needs Node: files, images through sharp, data sets from disk.
export { readBytes, readJson, readPythonJson } from './node/read-json.ts';
export type { ReadOptions } from './node/read-json.ts';
export { removeStaleTemporaries, writeFileAtomic } from './node/write-file-atomic.ts';
export type { FileContent } from './node/write-file-atomic.ts';
export { heldSource } from './node/held-source.ts';
export { fileSource } from './node/file-source.ts';
export { importOptional } from './node/optional-package.ts';
export { isDiskError, remedyOf } from './node/disk-error.ts';
export { makeFolder } from './node/make-folder.ts';
export { checkOutputFile, checkOutputFolder, prepareOutputFile } from './node/output-file.ts';

// Folders of training runs
export { lockFolder, lockFolderWhenFree } from './node/runs/lock.ts';
export type { FolderLock } from './node/runs/lock.ts';
export { thinned, writeRunPage } from './node/runs/page.ts';
export type { Curve, CurveLine, PagePicture, RunPage } from './node/runs/page.ts';

export { openSafetensors, readSafetensors } from './node/open-safetensors.ts';
export type { OpenSafetensorsOptions } from './node/open-safetensors.ts';
export { writeSafetensors } from './node/safetensors-file.ts';
export type { FileSlice, SafetensorsFile } from './node/safetensors-file.ts';
export { writeSafetensorsFolder } from './node/safetensors-shards.ts';
export type { ShardOptions } from './node/safetensors-shards.ts';

export { encodeImage, imageExtensions, readImage, resizeImage, writeImage } from './node/images.ts';
export type { EncodeImageOptions, ReadImageOptions, ResizeKernel, ResizeOptions } from './node/images.ts';

export { clipExtensions, readClip } from './node/clips.ts';
export type { Clip, ReadClipOptions } from './node/clips.ts';

export { encodeMp4, filmExtensions, writeFilm } from './node/films.ts';

export { readGrey16 } from './node/grey16.ts';
export type { Grey16 } from './node/grey16.ts';

// Data sets of pictures and clips with captions
export { cachedOnDisk, cachedPictures } from './node/cached-on-disk.ts';
export type { DiskCacheOptions } from './node/cached-on-disk.ts';
export * from './data/index.ts';
export { creditsText, fetchData, findData, licencesFor, openData, writeCredits } from './node/data/open-data.ts';
export type { DataCredits, OpenDataOptions, OpenedData } from './node/data/open-data.ts';
export { cacheFolder } from './node/fetch/cache-folder.ts';
export { downloadFile } from './node/fetch/download-file.ts';
export { fetchTo } from './node/fetch/fetch-to.ts';
export type { ContentDigest, FetchJob } from './node/fetch/fetch-to.ts';
export { checkFreeSpace } from './node/fetch/free-space.ts';
export { fetchPackage } from './node/fetch/fetch-package.ts';
export type { FetchPackageOptions } from './node/fetch/fetch-package.ts';
export { resolveFetch } from './node/fetch/options.ts';

export {
  readSplats4dFile,
  readSplatFile,
  readSplatScene4dFile,
  splatFormatOfFile,
  writeSplatFile,
  writeSplats4dFile,
  writeSplatScene4dFile,
} from './node/splat-files.ts';

// What works everywhere, browsers included. `@langevin/io/node` adds files, images through sharp, and data sets.
export { checksumOf } from './checksum.ts';
export type { HostTensor } from './host-tensor.ts';
export { parseJson, parsePythonJson } from './json.ts';
export { problemOf } from './schema-problem.ts';

export { blobSource, bytesSource } from './safetensors/byte-source.ts';
export type { ByteSource } from './safetensors/byte-source.ts';
export { decodeSafetensors } from './safetensors/decode.ts';
export { encodeSafetensors, layoutSafetensors } from './safetensors/encode.ts';
export type { EncodeOptions, SafetensorsLayout, StreamedTensor, TensorsByName } from './safetensors/encode.ts';
export { MAX_HEADER_BYTES, parseSafetensorsHeader } from './safetensors/header.ts';
export type { HeaderOptions, SafetensorsEntry, SafetensorsHeader } from './safetensors/header.ts';
export { readSafetensorsHeader, readSafetensorsSource } from './safetensors/reader.ts';
export type { SafetensorsReader } from './safetensors/reader.ts';
export type { StoredDType } from './safetensors/stored-dtype.ts';

export { bytesToUnit, fromImages, toImages, unitToBytes } from './images/convert.ts';
export type { PixelBatch } from './images/convert.ts';
export { encodePng } from './images/encode-png.ts';
export { imageGrid } from './images/grid.ts';
export type { GridOptions } from './images/grid.ts';
export { encodeGif } from './films/gif.ts';
export type { FilmOptions } from './films/film.ts';
export type { GifOptions } from './films/gif.ts';
export { filmPalette } from './films/palette.ts';
export type { Palette } from './films/palette.ts';
export { flattenAlpha, fromPlanar, toPlanar } from './images/image.ts';
export type { Image, Rgb } from './images/image.ts';
export { readPngText, withPngText } from './images/png-text.ts';
export { resizeArea } from './images/resize-area.ts';
export { withoutExif } from './images/without-exif.ts';

export { defineDataSource, filterData, pickFromData, splitData } from './sources/data-source.ts';
export type { ClipItem, DataItem, DataSource, DataSourceDefinition, ItemNotes, PictureItem, PixelsOf } from './sources/data-source.ts';
export { defineData } from './sources/define-data.ts';
export type { DataDefinition, DataLicence, DataPart, DataPlugin, FilePart, OpenContext, PackagePart } from './sources/define-data.ts';
export type { DataCredits, OpenDataOptions } from './node/data/open-data.ts';
export { cachedInMemory } from './sources/cached.ts';
export type { MemoryCacheOptions } from './sources/cached.ts';
export { pictureSource } from './sources/picture-source.ts';
export type { PictureSourceOptions } from './sources/picture-source.ts';
export { defineSource, joinSources, mapSource, pickFromSource } from './sources/source.ts';
export type { Source, SourceDefinition } from './sources/source.ts';
export { splitSource } from './sources/split.ts';
export type { SplitOptions } from './sources/split.ts';
export { bucketed, chooseStream, prefetched, shuffled } from './sources/stream.ts';
export type { BucketOptions, ShuffleOptions, Stream, StreamBatch, StreamPosition } from './sources/stream.ts';
export type { FetchOptions, FetchProgress } from './sources/fetch-options.ts';

// Files of 3D Gaussians; works everywhere, browsers included. `@langevin/io/node` adds the functions that take paths.
export { DOWN_FORWARD_TO_UP_BACK, flipAxes } from './splats/axes.ts';
export type { AxisSigns } from './splats/axes.ts';
export { checkCloud, SH_C0 } from './splats/cloud.ts';
export type { ShDegree, SplatCloud, SplatMetadata } from './splats/cloud.ts';
export { InvalidGaussiansError } from './splats/finish.ts';
export { encodeSplats4d, encodeSplatScene4d } from './splats/formats/container-4d.ts';
export type { Json, SplatAsset4d, SplatDeformation, SplatTimes } from './splats/asset-4d.ts';
export type { SplatPlacement, SplatScene4d } from './splats/placement-4d.ts';
export { defineSplatFormat } from './splats/format.ts';
export type { SplatFormat } from './splats/format.ts';
export type { ReadRequest, ReadSplatsOptions, SplatEncodeOptions } from './splats/options.ts';
export type { PlyPoints } from './splats/ply-points.ts';
export {
  detectSplatFormat,
  encodeSplats,
  readPlyPoints,
  readSplats,
  readSplats4d,
  readSplatScene4d,
  splatFormatForName,
  splatFormats,
  writeSplats,
} from './splats/registry.ts';
export type { SplatInput, WriteSplatsOptions } from './splats/registry.ts';

export { blend, scale, SUM, VALUE } from './sums';
export { BLOCKS, PIVOTS, torchBlocks } from './torch-normals';

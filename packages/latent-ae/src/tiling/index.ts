export { decodeInTiles, encodeInTiles, type TileProgress, type TilesOptions } from './in-tiles.ts';
export type { LastTile } from './grid.ts';

export { defineAutoencoder, type AutoencoderPlugin } from './define-autoencoder.ts';
export { gaussianPosterior } from './gaussian-posterior.ts';
// The autoencoders themselves, and `autoencoderPlugins`
export * from './plugins.ts';
export { decodeInTiles, encodeInTiles, type LastTile, type TileProgress, type TilesOptions } from './tiling/index.ts';
export { autoencoderFromConfig, findAutoencoder } from './registry.ts';

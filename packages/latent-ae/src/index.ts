export { inBands, type BandedAutoencoder } from './banded-autoencoder.ts';
export type { BandedCoder, BandsCall, BandsOptions } from './convolutional/bands/index.ts';
export { defineAutoencoder, type AutoencoderPlugin } from './define-autoencoder.ts';
export { gaussianPosterior } from './gaussian-posterior.ts';
export { describeMemory, estimateMemory, tileWithin, type MemoryEstimate, type MemoryQuestion } from './memory/estimate-memory.ts';
export { type LatentFamilyName } from './previews/factors.ts';
export { latentFamilyOf, latentPreview } from './previews/latent-preview.ts';
// The autoencoders themselves, and `autoencoderPlugins`
export * from './plugins.ts';
export { decodeInTiles, encodeInTiles, type LastTile, type TileProgress, type TilesOptions } from './tiling/index.ts';
export { autoencoderFromConfig, findAutoencoder } from './registry.ts';

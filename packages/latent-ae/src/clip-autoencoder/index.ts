export { clipAutoencoder, clipAutoencoderFromConfig, clipAutoencoderToConfig } from './clip-autoencoder.ts';
export { framewise } from './framewise.ts';
export { clipAutoencoderPlugin } from './plugin.ts';

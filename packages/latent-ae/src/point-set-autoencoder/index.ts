export { parsePointSetAutoencoderConfig, pointSetAutoencoderToConfig, type PointSetAutoencoderConfig } from './config.ts';
export { pointSetAutoencoderPlugin } from './plugin.ts';
export { pointSetAutoencoder, pointSetAutoencoderFromConfig, type PointSetAutoencoderParams } from './point-set-autoencoder.ts';

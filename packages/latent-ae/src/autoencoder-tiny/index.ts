export { autoencoderTiny, autoencoderTinyFromConfig, type AutoencoderTinyParams, type TinyAutoencoder } from './autoencoder-tiny.ts';
export { autoencoderTinyToConfig, parseAutoencoderTinyConfig, type AutoencoderTinyConfig } from './config.ts';
export { autoencoderTinyPlugin } from './plugin.ts';

export { autoencoderDc, autoencoderDcFromConfig, type AutoencoderDcParams } from './autoencoder-dc.ts';
export { autoencoderDcToConfig, parseAutoencoderDcConfig, type AutoencoderDcConfig } from './config.ts';
export { autoencoderDcPlugin } from './plugin.ts';

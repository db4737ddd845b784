export { autoencoderKl, autoencoderKlFromConfig, type AutoencoderKlParams } from './autoencoder-kl.ts';
export { autoencoderKlToConfig, parseAutoencoderKlConfig, type AutoencoderKlConfig } from './config.ts';
export { autoencoderKlPlugin } from './plugin.ts';

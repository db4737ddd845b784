export {
  linearAutoencoder,
  linearAutoencoderFromConfig,
  linearAutoencoderToConfig,
  type LinearAutoencoderConfig,
  type LinearAutoencoderParams,
} from './linear-autoencoder.ts';
export { linearAutoencoderPlugin } from './plugin.ts';

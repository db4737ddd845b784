export { testAutoencoder, type AutoencoderTestOptions } from './test-autoencoder.ts';

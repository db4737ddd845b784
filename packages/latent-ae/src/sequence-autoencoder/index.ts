export { parseSequenceAutoencoderConfig, sequenceAutoencoderToConfig, type SequenceAutoencoderConfig } from './config.ts';
export { sequenceAutoencoderPlugin } from './plugin.ts';
export { sequenceAutoencoder, sequenceAutoencoderFromConfig, type SequenceAutoencoderParams } from './sequence-autoencoder.ts';

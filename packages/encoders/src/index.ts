export {
  defineEncoder,
  type EncodedImage,
  type EncodedText,
  type EncoderPlugin,
  type ImageEncoder,
  type ImageEncoderInfo,
  type TextEncoder,
  type TextEncoderInfo,
  type TextEncoderInputs,
} from './define-encoder.ts';
// The encoders themselves, and `encoderPlugins`
export * from './plugins.ts';
export { picturePreparation, type PicturePreparation } from './pictures/picture-preparation.ts';
export * from './prompt/index.ts';
export { findEncoder, findImageEncoder, findTextEncoder } from './registry.ts';
export { tokenizerFromFiles, type TokenizerFiles } from './tokenizer/files.ts';
export { tokenBatch, type TokenBatch, type TokenBatchOptions } from './tokenizer/token-batch.ts';
export type { TextTokenizer } from './tokenizer/tokenizer.ts';
export { withPlaceholders, type Placeholder } from './tokenizer/with-placeholders.ts';

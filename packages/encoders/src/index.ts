export {
  defineEncoder,
  type EncodedText,
  type EncoderPlugin,
  type TextEncoder,
  type TextEncoderInfo,
  type TextEncoderInputs,
} from './define-encoder.ts';
// The encoders themselves, and `encoderPlugins`
export * from './plugins.ts';
export { findEncoder } from './registry.ts';
export { tokenizerFromFiles, type TokenizerFiles } from './tokenizer/files.ts';
export { tokenBatch, type TokenBatch, type TokenBatchOptions } from './tokenizer/token-batch.ts';
export type { TextTokenizer } from './tokenizer/tokenizer.ts';

import { defineClass, type ClassPlugin, type Module } from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';

/** What an encoder gives for a batch of texts. */
export interface EncodedText {
  /** The features of every token, [N, L, size], behind the last layer and its norm. */
  readonly last: Tensor;
  /** Those before the first layer and behind each one, without the norm behind the last: as many as layers and one more. */
  readonly states: readonly Tensor[];
  /** One of {@link states} as the last is: with the norm behind the last layer, where the encoder has one. */
  readonly normalised: (state: Tensor) => Tensor;
  /** The features of the whole text, [N, size of the projection]; absent for encoders without. */
  readonly pooled?: Tensor;
}

export interface TextEncoderInfo {
  readonly kind: 'text';
  /** Numbers of tokens that it knows: 0..vocabulary - 1. */
  readonly vocabulary: number;
  /** Most tokens of a text; null where there is no bound. */
  readonly length: number | null;
  /** Features of each token. */
  readonly size: number;
  /** Features of the whole text; null for encoders without. */
  readonly pooled: number | null;
  readonly layers: number;
  /** The name of the parameter that has the features of each token, [vocabulary, size]; further rows are further tokens. */
  readonly table: string;
}

/** What an encoder is told beside the numbers of the tokens, int32 [N, L]. */
export interface TextEncoderInputs {
  /** Bool [N, L]: true where there is a token. @default all are */
  readonly mask?: Tensor;
}

/** An encoder of texts: `apply(params, ids, inputs?)` gives features of each token. */
export interface TextEncoder<Params> extends Module<Params, readonly [ids: Tensor, inputs?: TextEncoderInputs], EncodedText> {
  readonly info: TextEncoderInfo;
  init(generator: Generator): Params;
}

/** What an encoder gives for a batch of pictures. */
export interface EncodedImage {
  /** The features of every token, [N, L, size], behind the last layer; the first is that of the whole. */
  readonly last: Tensor;
  /** Those before the first layer and behind each one: as many as layers and one more. */
  readonly states: readonly Tensor[];
  /** The features of the whole picture, [N, size of the projection]. */
  readonly pooled: Tensor;
}

export interface ImageEncoderInfo {
  readonly kind: 'image';
  readonly channels: number;
  /** Pixels along each side. */
  readonly side: number;
  /** Features of each token. */
  readonly size: number;
  /** Features of the whole picture. */
  readonly pooled: number;
  readonly layers: number;
}

/** An encoder of pictures: `apply(params, pixels [N, channels, side, side])` gives features of each of their parts, and of the whole. */
export interface ImageEncoder<Params> extends Module<Params, readonly [pixels: Tensor], EncodedImage> {
  readonly info: ImageEncoderInfo;
  init(generator: Generator): Params;
}

/** A family of encoders, made from JSON configurations. */
export type EncoderPlugin = ClassPlugin<TextEncoder<unknown> | ImageEncoder<unknown>>;

/**
 * A plugin as a frozen value.
 *
 * @throws UserError when its name or class is not well-formed
 */
export function defineEncoder(plugin: EncoderPlugin): EncoderPlugin {
  return defineClass('encoders/define', plugin);
}

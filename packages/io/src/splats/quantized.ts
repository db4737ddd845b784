/**
 * Opacity logit of a byte. The ends stand for everything that rounds to them, so they become the middle of their interval: a logit stays
 * finite, and writing gives the same byte again.
 */
export function logitOfByte(byte: number): number {
  const opacity = byte === 0 ? 0.25 / 255 : byte === 255 ? 1 - 0.25 / 255 : byte / 255;
  return Math.log(opacity / (1 - opacity));
}

/** {@link logitOfByte} of all bytes. */
export const LOGITS: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => logitOfByte(byte));

/** The nearest byte of an opacity logit. */
export function byteOfLogit(logit: number): number {
  return Math.round(255 / (1 + Math.exp(-logit)));
}

/** The nearest byte; halves away from zero, as C rounds. */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}

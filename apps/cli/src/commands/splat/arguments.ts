import { MAX_SIDE } from '@langevin/core';
import { InvalidArgumentError } from 'commander';

/** `1,2,3` */
export function vector(text: string): readonly [number, number, number] {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.length === 3 && values.every(Number.isFinite)) return values as unknown as readonly [number, number, number];
  throw new InvalidArgumentError('Give three numbers with commas between them.');
}

/** `640x480` */
export function size(text: string): readonly [number, number] {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const sides = [Number(match?.[1]), Number(match?.[2])] as const;
  if (sides.every((side) => side >= 1 && side <= MAX_SIDE)) return sides;
  throw new InvalidArgumentError(`Give <width>x<height>, up to ${MAX_SIDE} each.`);
}

export function degrees(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Math.abs(value) < 170) return value;
  throw new InvalidArgumentError('Give degrees between -170 and 170.');
}

/** Any number that is one. */
export function finite(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Give a number.');
}

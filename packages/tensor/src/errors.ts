/**
 * The three kinds of failure, so that a caller can tell "I passed something wrong" from "this engine cannot" from
 * "report this". Messages read `[package/part] what failed: name=value. What to do.`
 */
const MARKER = Symbol.for('langevin.error');

export type ErrorKind = 'user' | 'unsupported' | 'internal';

export interface ErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
}

abstract class LangevinError extends Error {
  abstract readonly kind: ErrorKind;
  readonly [MARKER] = true;

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
  }
}

/** The caller's input is wrong: an argument, a file, a configuration. The message says which, with its value. */
export class UserError extends LangevinError {
  readonly kind = 'user';
}

/** The request is valid but this engine, device or format cannot serve it. The message names what can. */
export class UnsupportedError extends LangevinError {
  readonly kind = 'unsupported';
}

/** A defect in Langevin itself. */
export class InternalError extends LangevinError {
  readonly kind = 'internal';

  constructor(message: string, options: ErrorOptions = {}) {
    super(`${message} This is a bug in Langevin; please report it.`, options);
  }
}

/**
 * The kind of a Langevin error, or undefined for any other value. It works across duplicate installations, where
 * `instanceof` does not.
 *
 * @example
 * errorKind(new UserError('[x] y')); // => 'user'
 */
export function errorKind(error: unknown): ErrorKind | undefined {
  if (typeof error !== 'object' || error === null || !(MARKER in error)) return undefined;
  return (error as LangevinError).kind;
}

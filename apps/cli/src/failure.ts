import { isDiskError, remedyOf } from '@langevin/io/node';
import { errorKind } from '@langevin/tensor';
import { CommanderError } from 'commander';

/** How a failed command ends. */
export interface Failure {
  /** 1: what was asked for is wrong or not possible here. 2: a bug of ours. */
  readonly code: 0 | 1 | 2;
  readonly kind: 'user' | 'unsupported' | 'internal';
  /** One line, without a stack trace. */
  readonly message: string;
  /** For our own bugs, and for all with LANGEVIN_DEBUG. */
  readonly stack?: string;
}

/** What to tell about an error. @param command the command that was asked for, for a hint at its help */
export function describeFailure(error: unknown, options: { readonly command: string; readonly debug: boolean }): Failure {
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? 0 : 1, kind: 'user', message: argumentMessage(error.message, options.command) };
  const kind = errorKind(error);
  const ours = kind === undefined || kind === 'internal';
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && (ours || options.debug) ? { stack: withCauses(error) } : {};
  if (kind !== undefined) return { code: ours ? 2 : 1, kind, message: oneLine(message), ...stack };
  // What the operating system refuses is no bug, wherever it is met.
  if (isDiskError(error))
    return {
      code: 1,
      kind: 'user',
      message: oneLine(`[cli/disk] the operating system refuses: ${message.replace(/\.$/, '')}. ${remedyOf(error)}`),
      ...(options.debug ? stack : {}),
    };
  return {
    code: 2,
    kind: 'internal',
    message: `[cli/internal] unexpected error: ${oneLine(message)}. This is a bug in Langevin; please report it with the lines below.`,
    ...stack,
  };
}

/** Commander's `error: unknown option '--x'` + line `(Did you mean --y?)` in the form of our other messages. */
function argumentMessage(message: string, command: string): string {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const hint = rest.join(' ').replace(/^\((.*)\)$/, ' $1');
  return `[cli/arguments] ${first.replace(/\.$/, '')}.${hint} See "langevin ${command}${command === '' ? '' : ' '}--help".`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

function withCauses(error: Error): string {
  const text = error.stack ?? error.message;
  return error.cause instanceof Error ? `${text}\ncaused by ${withCauses(error.cause)}` : text;
}

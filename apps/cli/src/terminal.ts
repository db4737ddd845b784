/** Where a command writes, and what it may know of its surroundings: passed in, so that tests can look. */
export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything that is for people only: progress, remarks, errors. */
  readonly err: (text: string) => void;
  /** The stream behind `err` when it is a terminal that can redraw a line. */
  readonly screen?: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user wants the command to end. */
  readonly signal: AbortSignal;
}

/** A line of results. */
export function line(terminal: Terminal, text: string): void {
  terminal.out(`${text}\n`);
}

/** A line for people. */
export function remark(terminal: Terminal, text: string): void {
  terminal.err(`${text}\n`);
}

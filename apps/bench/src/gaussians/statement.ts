/** Something that has to hold, and how well it does. */
export interface Statement {
  readonly name: string;
  /** The largest error found. */
  readonly error: number;
  readonly allowed: number;
  /** What the numbers are of. */
  readonly of?: string;
}

/** Not a number is never good enough. */
export function holds({ error, allowed }: Pick<Statement, 'error' | 'allowed'>): boolean {
  return error <= allowed;
}

export function failures(statements: readonly Statement[]): number {
  return statements.filter((statement) => !holds(statement)).length;
}

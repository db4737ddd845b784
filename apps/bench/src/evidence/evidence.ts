/** What one kind of evidence found, from running code. */
export interface Evidence {
  /** Name of its page in docs/, without ending. */
  readonly page: string;
  readonly markdown: string;
  readonly json: unknown;
  /** Statements that turned out false. */
  readonly failed: number;
}

/**
 * The one debug switch. Set `LANGEVIN_DEBUG` in the environment, or `globalThis.LANGEVIN_DEBUG` in a page:
 *
 * | level | effect |
 * |---|---|
 * | 0 | nothing (default) |
 * | 1 | one line for each compilation: nodes, inputs, milliseconds |
 * | 2 | also print the graph |
 * | 3 | also verify every graph against the ops' shape rules |
 */
export function debugLevel(): number {
  const scope = globalThis as { LANGEVIN_DEBUG?: unknown; process?: { env?: Record<string, string | undefined> } };
  const level = Number(scope.LANGEVIN_DEBUG ?? scope.process?.env?.['LANGEVIN_DEBUG'] ?? 0);
  return Number.isInteger(level) ? level : 0;
}

export function debugLog(text: string): void {
  const { console } = globalThis as { console?: { error(text: string): void } };
  console?.error(text);
}

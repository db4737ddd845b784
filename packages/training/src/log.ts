import { readText, textPieces, type RunStore } from './store.ts';

/** One step of a log: numbers by name; null where a number was not finite. */
export type LogLine = { readonly step: number } & Readonly<Record<string, number | null>>;

/** Appends one line of JSON. */
export async function appendLog(
  store: RunStore,
  path: string,
  line: Readonly<Record<string, number>> & { readonly step: number },
): Promise<void> {
  // JSON turns numbers that are not finite into null, which plots show as a gap.
  await store.append(path, `${JSON.stringify(line)}\n`);
}

/** Complete lines that are steps; a last line that a killed process left half-written is no line. */
export async function readLog(store: RunStore, path: string): Promise<readonly LogLine[]> {
  const lines = ((await readText(store, path)) ?? '').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isLogLine(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

/** Files of a run may be damaged: what is no number by name is no line of a log. */
function isLogLine(value: unknown): value is LogLine {
  if (typeof value !== 'object' || value === null || !Number.isSafeInteger((value as Partial<LogLine>).step)) return false;
  return Object.values(value).every((entry) => entry === null || typeof entry === 'number');
}

/** Drops what was logged after a step, so that a resumed run writes it again, the same. */
export async function truncateLog(store: RunStore, path: string, step: number): Promise<void> {
  await store.write(path, textPieces(await logUntil(store, path, step)));
}

/** The lines of a log up to a step. */
export async function logUntil(store: RunStore, path: string, step: number): Promise<string> {
  const lines = await readLog(store, path);
  return lines
    .filter((line) => line.step <= step)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

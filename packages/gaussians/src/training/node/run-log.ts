import { appendFile, readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

/** One line of a run's log: numbers by name. */
export type LogLine = Readonly<Record<string, number>>;

/** @throws UserError when the disk is full */
export async function appendLine(path: string, line: LogLine): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(line)}\n`);
  } catch (cause) {
    throw new UserError(
      `[gaussians/log] log cannot be written: path=${path}, ${cause instanceof Error ? cause.message : String(cause)}. Free space `
        + 'and resume; checkpoints are untouched.',
      { cause },
    );
  }
}

/** The complete lines of a log; one that a killed process left half-written is dropped. */
export async function readLog(path: string): Promise<readonly LogLine[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      try {
        const value: unknown = JSON.parse(line);
        if (typeof value === 'object' && value !== null && 'step' in value) return value as LogLine;
      } catch {
        // Told below.
      }
      throw new UserError(`[gaussians/log] log is damaged: path=${path}, line ${i + 1}. Move the file away.`);
    });
}

/** Drop what was logged after a step, so that a resumed run writes it again, the same. */
export async function truncateLog(path: string, step: number): Promise<void> {
  const lines = (await readLog(path)).filter((line) => (line['step'] ?? 0) <= step);
  await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

import { appendFile, readFile } from 'node:fs/promises';
import { UserError } from '@langevin/tensor';
import { remedyOf } from '../disk-error.ts';
import { cannotRead } from '../file-source.ts';
import { writeFileAtomic } from '../write-file-atomic.ts';

/** One logged step: numbers by name. */
export type LogLine = Readonly<Record<string, number>> & { readonly step: number };

/** Append one line of JSON. @throws UserError when the disk is full or not writable */
export async function appendLog(path: string, line: LogLine): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(line)}\n`);
  } catch (cause) {
    throw new UserError(`[io/log] log cannot be written: path=${path}. ${remedyOf(cause)} Checkpoints are untouched; resume then.`, {
      cause,
    });
  }
}

/**
 * The complete lines of a log; a last line that a killed process left half-written is dropped, and a file that is not there has none.
 *
 * @throws UserError when a line is not that of a step
 */
export async function readLog(path: string): Promise<readonly LogLine[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw cannotRead(path, cause);
  });
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const value = parseLine(line);
    if (value) return value;
    throw new UserError(`[io/log] log is damaged: path=${path}, line ${i + 1} is not a step. Move the file away to start a new log.`);
  });
}

/** Drop what was logged after a step, so that a resumed run writes it again, the same. */
export async function truncateLog(path: string, step: number): Promise<void> {
  const lines = (await readLog(path)).filter((line) => line.step <= step);
  await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function parseLine(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'step' in value && Number.isInteger(value.step) ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

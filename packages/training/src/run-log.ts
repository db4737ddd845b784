import { appendFile, readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

/** One logged step. */
export interface LogLine {
  readonly step: number;
  readonly [metric: string]: number;
}

/** Append one line of JSON. @throws UserError when the disk is full */
export async function appendLine(path: string, line: LogLine): Promise<void> {
  try {
    await appendFile(path, `${JSON.stringify(line)}\n`);
  } catch (error) {
    throw new UserError(
      `[training/log] log cannot be written: path=${path}, ${error instanceof Error ? error.message : String(error)}. Free space `
        + 'or permissions and resume; checkpoints are untouched.',
      { cause: error },
    );
  }
}

/** The complete lines of a log; a last line that a killed process left half-written is dropped. */
export async function readLog(path: string): Promise<readonly LogLine[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line, i) => {
    const value = parseLine(line);
    if (value) return value;
    throw new UserError(`[training/log] log is damaged: path=${path}, line ${i + 1} is not a step. Move the file away to start a new log.`);
  });
}

function parseLine(line: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'step' in value && Number.isInteger(value.step) ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Drop what was logged after a step, so that a resumed run writes it again, the same. */
export async function truncateLog(path: string, step: number): Promise<void> {
  const lines = await readLog(path);
  await writeFileAtomic(
    path,
    lines
      .filter((line) => line.step <= step)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLog, readLog, truncateLog } from '@langevin/io/node';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

describe('the log', () => {
  it('reads back what was appended, without a last line that is not whole', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    expect(await readLog(path)).toEqual([]);
    await appendLog(path, { step: 1, loss: 0.1 });
    await appendLog(path, { step: 2, loss: 1 / 3 });
    await writeFile(path, '{"step":3', { flag: 'a' });
    expect(await readLog(path)).toEqual([
      { step: 1, loss: 0.1 },
      { step: 2, loss: 1 / 3 },
    ]);
  });

  it('is cut back to a step, to the same bytes', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    for (const step of [1, 2]) await appendLog(path, { step, loss: 1 / 3 });
    const before = await readFile(path, 'utf8');
    for (const step of [3, 4]) await appendLog(path, { step, loss: 1 / 7 });
    await truncateLog(path, 2);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it.each(['nonsense', '{"loss":1}', '[]', 'null', '{"step":1.5}'])('with the line %s is damaged, and the line is named', async (line) => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    await writeFile(path, `{"step":1,"loss":1}\n${line}\n`);
    await expect(readLog(path)).rejects.toThrow(
      `[io/log] log is damaged: path=${path}, line 2 is not a step. Move the file away to start a new log.`,
    );
  });
});

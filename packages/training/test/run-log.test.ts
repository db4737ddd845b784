import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLine, progressMeter, readLog, showDuration, truncateLog } from '@langevin/training';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from './host-task.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('the log', () => {
  it('reads back what was appended, without a last line that is not whole', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    expect(await readLog(path)).toEqual([]);
    await appendLine(path, { step: 1, loss: 0.1 });
    await appendLine(path, { step: 2, loss: 1 / 3 });
    await writeFile(path, '{"step":3', { flag: 'a' });
    expect(await readLog(path)).toEqual([
      { step: 1, loss: 0.1 },
      { step: 2, loss: 1 / 3 },
    ]);
  });

  it('is cut back to a step, to the same bytes', async () => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    for (const step of [1, 2]) await appendLine(path, { step, loss: 1 / 3 });
    const before = await readFile(path, 'utf8');
    for (const step of [3, 4]) await appendLine(path, { step, loss: 1 / 7 });
    await truncateLog(path, 2);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it.each(['nonsense', '{"loss":1}', '[]', 'null', '{"step":1.5}'])('with the line %s is damaged, and the line is named', async (line) => {
    const path = join(await temporaryFolder(), 'log.jsonl');
    await writeFile(path, `{"step":1,"loss":1}\n${line}\n`);
    await expect(readLog(path)).rejects.toThrow(
      `[training/log] log is damaged: path=${path}, line 2 is not a step. Move the file away to start a new log.`,
    );
  });
});

describe('progress', () => {
  it('is a mean over recent steps', () => {
    const meter = progressMeter(100, 3);
    expect(meter.advance(0, 0)).toEqual({ stepsPerSecond: 0, remainingSeconds: Infinity });
    expect(meter.advance(10, 1000)).toEqual({ stepsPerSecond: 10, remainingSeconds: 9 });
    meter.advance(20, 2000);
    // The first call has left the window of three.
    expect(meter.advance(30, 6000)).toEqual({ stepsPerSecond: 4, remainingSeconds: 17.5 });
  });

  it.each([
    [3725, '1 h 02 min'],
    [200, '3 min 20 s'],
    [44.6, '45 s'],
    [Infinity, 'unknown'],
  ])('shows %s seconds as %s', (seconds, text) => {
    expect(showDuration(seconds)).toBe(text);
  });
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tensor } from '@langevin/tensor';
import { readCheckpoint, type TrainingTask } from '@langevin/training';
import { describe, expect, it } from 'vitest';
import { events, hostTask, temporaryFolder, type HostState } from './host-task.ts';

/** A task whose metrics at each step, from 1, are these; those of other steps are a loss of 1. */
function withMetrics(metrics: Readonly<Record<number, { readonly loss: number; readonly gradNorm?: number }>>): TrainingTask<HostState> {
  const task = hostTask();
  return {
    ...task,
    step: async (state, point) => ({ ...(await task.step(state, point)), metrics: { loss: 1, ...metrics[point.step + 1] } }),
  };
}

const names = (folder: string): Promise<readonly string[]> => readdir(join(folder, 'checkpoints'));

describe('a run that diverges ends with an error, whatever its loss says', () => {
  it('when the gradient norm is infinite, or its square no float32 any more', async () => {
    for (const [gradNorm, what] of [
      [Infinity, 'gradNorm is not finite: gradNorm=Infinity'],
      [1e38, 'gradNorm is too large to be computed with: gradNorm=1e+38'],
    ] as const) {
      const folder = await temporaryFolder();
      await expect(events(withMetrics({ 4: { loss: 1, gradNorm } }), { folder, steps: 9, checkpointEvery: 2 })).rejects.toThrow(
        `[training/loop] ${what}, step=4, batch items=[9, 10, 11]. Last good checkpoint: ${join(folder, 'checkpoints', 'step-00000002')}.`,
      );
    }
  });

  it('when the loss stays at a thousand times that of the first step', async () => {
    const high = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i + 5, { loss: 1e6 }]));
    const folder = await temporaryFolder();
    await expect(events(withMetrics(high), { folder, steps: 100, checkpointEvery: 4 })).rejects.toThrow(
      'loss is 1000 times that of the first step: loss=1000000, first=1, step=14',
    );
  });

  it('but not when it was high in one batch', async () => {
    const all = await events(withMetrics({ 5: { loss: 1e6 }, 9: { loss: 1e5 } }), { folder: await temporaryFolder(), steps: 20 });
    expect(all.at(-1)).toMatchObject({ kind: 'done', reason: 'finished' });
  });

  it('when the weights that were saved last turn out to be bad: the run has not finished', async () => {
    const folder = await temporaryFolder();
    await expect(events(withMetrics({ 7: { loss: NaN } }), { folder, steps: 6, checkpointEvery: 2 })).rejects.toThrow(
      `loss is not finite: loss=NaN, step after the last=7`,
    );
    expect(await names(folder)).toEqual(['step-00000002', 'step-00000004', 'step-00000006.aside'].slice(1));
  });

  it('when the weights themselves are not finite; none of them is written', async () => {
    const folder = await temporaryFolder();
    const task = hostTask();
    const bad: TrainingTask<HostState> = {
      ...task,
      step: async (state, point) => {
        const result = await task.step(state, point);
        return point.step + 1 < 6 ? result : { ...result, state: { w: tensor(Float32Array.of(1, NaN)) }, metrics: { loss: 1 } };
      },
    };
    await expect(events(bad, { folder, steps: 9, checkpointEvery: 2 })).rejects.toThrow(
      `weights are not finite: w, step=6. Last good checkpoint: ${join(folder, 'checkpoints', 'step-00000004')}.`,
    );
    expect(await names(folder)).toEqual(['step-00000002', 'step-00000004']);
  });
});

describe('the last good checkpoint', () => {
  it('is one that training went on from: the one whose weights gave the bad loss is set aside, and a resume does without it', async () => {
    const folder = await temporaryFolder();
    // The loss of step 5 is computed from the weights that step 4 left and checkpoint 4 holds.
    await expect(events(withMetrics({ 5: { loss: Infinity } }), { folder, steps: 9, checkpointEvery: 2 })).rejects.toThrow(
      `Last good checkpoint: ${join(folder, 'checkpoints', 'step-00000002')}. Set aside, as its weights led here: `
        + `${join(folder, 'checkpoints', 'step-00000004.aside')}.`,
    );
    expect(await names(folder)).toEqual(['step-00000002', 'step-00000004.aside']);
    const all = await events(hostTask(), { folder, steps: 9, start: 'resume' });
    expect(all[0]).toMatchObject({ kind: 'start', step: 2, resumed: true });
    expect((await readCheckpoint(join(folder, 'checkpoints', 'step-00000009'), hostTask().init())).point.step).toBe(9);
  });

  it('is named when a preview cannot be drawn, and stays', async () => {
    const folder = await temporaryFolder();
    const { UserError } = await import('@langevin/tensor');
    const task = hostTask({ preview: () => Promise.reject(new UserError('[io/images] pixel values must be finite: values[0]=NaN.')) });
    await expect(events(task, { folder, steps: 9, checkpointEvery: 2, previewEvery: 3 })).rejects.toThrow(
      '[training/loop] preview cannot be drawn: step=3, [io/images] pixel values must be finite: values[0]=NaN. Newest checkpoint: '
        + `${join(folder, 'checkpoints', 'step-00000002')}.`,
    );
    expect(await names(folder)).toEqual(['step-00000002']);
  });
});

import { defineDenoiser, sigmaLevel } from '@langevin/core';
import { arrayAlgebra, edm, gits, karras, tensorAlgebra } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { euler, rk45, sample, teacherRun } from '@langevin/samplers';
import { tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const denoise = threeModes().denoiser<Float64Array>();
const levels = karras({ sigmaMin: 0.05, sigmaMax: 10 }).levels(edm(), { steps: 60, end: 'floor' });
const x = Float64Array.from({ length: 64 }, (_, i) => (i - 31.5) / 2);

describe('the run that a grid is computed from', () => {
  test("is Euler's, a point for each level", async () => {
    const teacher = await teacherRun({ denoise, x, levels });
    expect(teacher.map(({ at }) => at)).toEqual(levels);
    expect(teacher[0]!.x).toEqual(x);
    expect(teacher.at(-1)!.x).toEqual(await sample({ sampler: euler(), denoise, x, levels }));
    for (const { at, x: shown, denoised } of teacher) expect(denoised).toEqual(await denoise(Float64Array.from(shown), at));
  });

  test('may end clean, where nothing is asked', async () => {
    const teacher = await teacherRun({ denoise, x, levels: [...levels, sigmaLevel(0)] });
    expect(teacher.at(-1)!.denoised).toEqual(teacher.at(-1)!.x);
  });

  test('gives a grid on which few Euler steps lose less than on the spacing it was made of', async () => {
    const [from, to] = [levels[0]!, levels.at(-1)!];
    const exact = await sample({ sampler: rk45({ rtol: 1e-9, atol: 1e-9 }), denoise, x, levels: [from, to] });
    const error = async (grid: typeof levels): Promise<number> => {
      const end = await sample({ sampler: euler(), denoise, x, levels: grid });
      return Math.hypot(...end.map((value, i) => value - exact[i]!));
    };
    const few = { steps: 8, end: 'floor' } as const;
    const found = gits({ teacher: await teacherRun({ denoise, x, levels }), metric: 'l2' }).levels(edm(), few);
    expect(await error(found)).toBeLessThan(await error(karras({ sigmaMin: 0.05, sigmaMax: 10 }).levels(edm(), few)));
  });

  test('comes from tensors as well', async () => {
    const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
    const still = tensor(new Float32Array(8).fill(0.5), { shape: [2, 4] });
    const teacher = await teacherRun({
      denoise: defineDenoiser({ nfe: 1, denoise: () => still }),
      x: tensor(new Float32Array(8).fill(2), { shape: [2, 4] }),
      levels: [4, 2, 1].map(sigmaLevel),
      algebra: tensorAlgebra({ engine }),
    });
    expect(teacher.map((point) => point.x[0])).toEqual([2, 1.25, 0.875]);
    expect(
      gits({ teacher, items: 2, metric: 'l1' })
        .levels(edm(), { steps: 1, end: 'floor' })
        .map(({ sigma }) => sigma),
    ).toEqual([4, 1]);
    expect(arrayAlgebra().size(teacher[0]!.denoised)).toBe(8);
    await engine.dispose();
  });
});

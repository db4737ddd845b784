import { cpuRasterizer, referenceRasterizer } from '@langevin/gaussians';
import { CLOSED_FORM_TOLERANCE, CLOSED_FORMS, drawDouble, drawSingle } from '@langevin/gaussians/testing';
import { afterAll, expect, test } from 'vitest';

const cpu = cpuRasterizer({ threads: 1 });
afterAll(() => cpu.dispose());

test.for(CLOSED_FORMS.map(({ name, gap }) => ({ name, gap })))('$name', async ({ gap }) => {
  expect(await gap(drawDouble(referenceRasterizer()))).toBeLessThan(CLOSED_FORM_TOLERANCE.reference);
  expect(await gap(drawSingle(cpu))).toBeLessThan(CLOSED_FORM_TOLERANCE.single);
});

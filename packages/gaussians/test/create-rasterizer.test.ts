import { createRasterizer } from '@langevin/gaussians';
import { expect, test } from 'vitest';

test('chooses what works, and says what did not', async () => {
  const { rasterizer, reasons } = await createRasterizer({ threads: 1 });
  expect(['webgpu', 'cpu']).toContain(rasterizer.kind);
  if (rasterizer.kind === 'cpu') expect(reasons).toEqual([expect.stringContaining('webgpu')]);
  await rasterizer.dispose();
});

test('takes what is preferred', async () => {
  const { rasterizer, reasons } = await createRasterizer({ prefer: 'cpu', threads: 1 });
  expect(rasterizer.kind).toBe('cpu');
  expect(reasons).toEqual([]);
  await rasterizer.dispose();
  await expect(createRasterizer({ prefer: 'cuda' as never })).rejects.toThrow(
    '[gaussians/create] unknown backend: prefer=cuda. Known: webgpu, cpu.',
  );
  await expect(createRasterizer({ prefer: 'cpu', threads: 0 })).rejects.toThrow('threads=0');
});

import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { trainingConfigSchema } from '../src/diffusion/config.ts';
import { configPage } from './config-page.ts';

it('docs/training-config.md says what the schema takes', async () => {
  const page = configPage(trainingConfigSchema);
  expect(page.match(/^\| `/gm)!.length).toBeGreaterThan(20);
  await expect(page).toMatchFileSnapshot(fileURLToPath(new URL('../../../docs/training-config.md', import.meta.url)));
});

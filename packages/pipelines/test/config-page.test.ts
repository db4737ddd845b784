import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseTrainingConfig, trainingConfigSchema } from '@langevin/pipelines';
import { configPage } from './config-page.ts';

it('docs/training-config.md says what the schema takes', async () => {
  const page = configPage(trainingConfigSchema, {
    source: 'training-config.ts',
    test: 'config-page',
    title: 'The training configuration',
    what: 'What `langevin train <config>` reads: a JSON file that decides what a run computes.',
    example: 'emoji.json',
  });
  expect(page.match(/^\| `/gm)!.length).toBeGreaterThan(20);
  await expect(page).toMatchFileSnapshot(fileURLToPath(new URL('../../../docs/training-config.md', import.meta.url)));
});

it('the configuration that docs/training.md prints is one', async () => {
  const page = await readFile(fileURLToPath(new URL('../../../docs/training.md', import.meta.url)), 'utf8');
  const [, json] = /```json\n(.*?)```/su.exec(page)!;
  expect(parseTrainingConfig(JSON.parse(json!))).toMatchObject({ name: 'shapes', data: { name: 'picture-folder' } });
});

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readGolden, writeTiny } from '@langevin/pipelines/testing';
import { expect, it } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

it('langevin export --onnx writes each part of a checkpoint, and refuses a folder that is not empty and sizes that are none', async () => {
  const root = await temporaryFolder();
  const golden = await readGolden(join(import.meta.dirname, '../../../packages/pipelines/test/golden'), 'stable-diffusion');
  const model = await writeTiny(join(root, 'model'), golden);
  const out = join(root, 'onnx');
  const { code, out: text, err } = await cli(['export', model, out, '--onnx', '--batch', '2', '--json']);
  expect([code, err]).toEqual([0, '']);
  const { parts } = JSON.parse(text) as { parts: readonly { name: string; inputs: readonly string[] }[] };
  expect(parts.map(({ name }) => name)).toEqual(['text_encoder', 'unet', 'vae_decoder']);
  expect(parts[1]!.inputs).toEqual(['sample', 'timestep', 'encoder_hidden_states']);
  for (const { name } of parts) {
    expect((await readdir(join(out, name))).sort()).toEqual(['model.onnx', 'model.onnx_data']);
    expect((await stat(join(out, name, 'model.onnx_data'))).size).toBeGreaterThan(1000);
  }
  expect((await cli(['export', model, out, '--onnx'])).err).toContain('folder is not empty');
  expect((await cli(['export', model, `${out}2`, '--onnx', '--size', 'large'])).err).toContain(
    '[cli/export] size is not one: --size=large',
  );
  expect(await readdir(root)).not.toContain('onnx2');
});

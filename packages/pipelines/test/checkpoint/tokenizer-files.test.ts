import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readGolden, writeTiny } from '@langevin/pipelines/testing';
import { UnsupportedError } from '@langevin/tensor';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { loadTokenizer } from '../../src/checkpoint/load-encoder.ts';
import { GOLDEN, scratch } from './scratch.ts';

it("a tokenizer that is there as SentencePiece's model alone is refused, with what to do", async () => {
  const folder = await writeTiny(join(await scratch(), 'tiny'), await readGolden(GOLDEN, 'stable-diffusion'));
  await rename(join(folder, 'tokenizer/vocab.json'), join(folder, 'tokenizer/spiece.model'));
  await rm(join(folder, 'tokenizer/tokenizer.json'), { force: true });
  const loading = loadTokenizer(await openCheckpoint(folder), 'tokenizer');
  await expect(loading).rejects.toThrow(UnsupportedError);
  await expect(loading).rejects.toThrow(/spiece\.model\. Write a tokenizer\.json beside it/u);
});

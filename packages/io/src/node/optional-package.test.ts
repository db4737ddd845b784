import { UnsupportedError } from '@langevin/tensor';
import { expect, test } from 'vitest';
import { importOptional } from './optional-package.ts';

test('a package that is not there is named with the command that installs it', async () => {
  const name = 'langevin-no-such-package';
  const attempt = importOptional(name, 'images', () => import(/* @vite-ignore */ name));
  await expect(attempt).rejects.toThrow(UnsupportedError);
  await expect(
    importOptional('sharp', 'images', () => Promise.reject(Object.assign(new Error('x'), { code: 'ERR_MODULE_NOT_FOUND' }))),
  ).rejects.toThrow('[io/images] sharp is not installed. Install it: npm install sharp');
});

test('a package that is there but broken says why', async () => {
  await expect(importOptional('sharp', 'images', () => Promise.reject(new Error('wrong platform')))).rejects.toThrow(
    '[io/images] sharp could not be loaded: wrong platform. Install it: npm install sharp',
  );
});

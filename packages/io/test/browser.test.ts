import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');

/** Every module that a file loads at run time, by following relative imports; packages are collected by name. */
async function reach(entry: string): Promise<{ files: Set<string>; packages: Set<string> }> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    files.add(file);
    const text = await readFile(file, 'utf8');
    for (const [, typeOnly, specifier] of text.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gm)) {
      if (typeOnly !== undefined) continue;
      if (specifier!.startsWith('.')) await visit(join(dirname(file), specifier!));
      else packages.add(specifier!);
    }
  };
  await visit(join(SOURCE, entry));
  return { files, packages };
}

test('the main entry loads nothing that only Node has', async () => {
  const { files, packages } = await reach('index.ts');
  expect([...packages].sort()).toEqual(['@langevin/tensor', '@langevin/tensor/fields', 'valibot']);
  expect(files.size).toBeGreaterThan(10);
});

test('the entry for Gaussians loads nothing that only Node has', async () => {
  const { files, packages } = await reach('splats.ts');
  expect([...packages].sort()).toEqual(['@langevin/tensor', '@langevin/tensor/fields', 'valibot']);
  expect(files.size).toBeGreaterThan(20);
});

test('the walk would see it: the Node entry does', async () => {
  const { packages } = await reach('node.ts');
  expect([...packages].some((name) => name.startsWith('node:'))).toBe(true);
  // sharp is imported when the first image is read, never before.
  expect(packages.has('sharp')).toBe(false);
});

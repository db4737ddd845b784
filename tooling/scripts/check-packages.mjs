// Packs every public package as it would be published, and asks publint (strict) and attw (ESM only) about the tarball.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { conclude, publicPackages, root } from './lib.mjs';

const packages = publicPackages();
const faults = [];
for (const { folder, dir, manifest } of packages) {
  if (!existsSync(join(dir, 'dist', 'index.js'))) {
    faults.push(`${folder}: dist/index.js is missing. Run "npm test -- build" first.`);
    continue;
  }
  const out = mkdtempSync(join(tmpdir(), 'langevin-pack-'));
  try {
    const pack = spawnSync('pnpm', ['pack', '--pack-destination', out], { cwd: dir, encoding: 'utf8' });
    const tarball = readdirSync(out).find((name) => name.endsWith('.tgz'));
    if (pack.status !== 0 || tarball === undefined) {
      faults.push(`${folder}: pnpm pack failed: exit=${pack.status ?? pack.error?.message}\n${pack.stdout}${pack.stderr}`);
      continue;
    }
    const path = join(out, tarball);
    faults.push(...(await publintFaults(folder, path)), ...attwFaults(folder, manifest, path));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
conclude('packages', faults, `${packages.length} tarballs pass publint --strict and attw --profile esm-only`);

async function publintFaults(folder, tarball) {
  const bytes = readFileSync(tarball);
  const { messages, pkg } = await publint({
    strict: true,
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
  });
  return messages
    .filter((message) => message.type !== 'suggestion')
    .map((message) => `${folder}: publint: ${formatMessage(message, pkg, { color: false })}`);
}

function attwFaults(folder, manifest, tarball) {
  const entries = Object.entries(manifest.exports).filter(
    ([entry, target]) => target !== null && entry !== './package.json' && !entry.includes('*'),
  );
  const args = [
    tarball,
    '--profile',
    'esm-only',
    '--no-color',
    '--no-emoji',
    '--format',
    'ascii',
    '--entrypoints',
    ...entries.map(([entry]) => entry),
  ];
  const done = spawnSync(join(root, 'tooling/scripts/node_modules/.bin/attw'), args, { cwd: root, encoding: 'utf8' });
  return done.status === 0 ? [] : [`${folder}: attw: exit=${done.status ?? done.error?.message}\n${done.stdout}${done.stderr}`];
}

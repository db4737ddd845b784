// Every published package as it goes to the registry.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { publishedMembers, readJson, root } from '../lib.mjs';

/**
 * Packs all published packages and unpacks them again, so that what a user gets can be read.
 *
 * @param {string} out an empty folder
 * @returns {{ folder: string, dir: string, manifest: object, tarball: string, contents: string }[]} `manifest` is the packed one,
 *   `contents` the folder of what is in the tarball
 */
export function packAll(out) {
  const members = publishedMembers();
  const filters = members.flatMap(({ folder }) => ['--filter', `./${folder}`]);
  must('pnpm', ['-r', ...filters, 'pack', '--pack-destination', out]);
  return members.map(({ folder, dir, manifest: { name, version } }) => {
    const tarball = join(out, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
    const contents = join(out, 'contents', folder, 'package');
    mkdirSync(join(contents, '..'), { recursive: true });
    must('tar', ['-xzf', tarball, '-C', join(contents, '..')]);
    return { folder, dir, manifest: readJson(join(contents, 'package.json')), tarball, contents };
  });
}

function must(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (done.status === 0) return;
  throw new Error(
    `[workspace/packages] a command failed: exit=${done.status ?? done.error?.message}, command="${[command, ...args].join(' ')}". `
      + `It says:\n${done.stdout}${done.stderr}`,
  );
}

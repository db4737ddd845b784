// A user's project in a temporary folder, with packages from the registry of this machine.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TIMEOUT_MS = 120_000;

/**
 * A folder that knows the registry and nothing of this workspace or of the user's own settings.
 *
 * @param {{ home: string, name: string, registry: string }} options `home` is the temporary folder that all projects share
 */
export function createProject({ home, name, registry }) {
  const dir = join(home, 'projects', name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  const settings = { registry: `${registry}/`, audit: false, fund: false, 'update-notifier': false, cache: join(home, 'npm') };
  writeFileSync(
    join(dir, '.npmrc'),
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const own = Object.entries(process.env).filter(([key]) => !/^(?:npm|pnpm)_/iu.test(key));
  const env = { ...Object.fromEntries(own), npm_config_userconfig: join(dir, '.npmrc'), CI: 'true' };
  const project = {
    dir,
    run: (command, args) => run(command, args, { cwd: dir, env }),
    /** pnpm ends with an error where an install script was not run, unless it is told that none is to be. */
    add: (names, flags = ['--ignore-scripts']) => project.run('pnpm', ['add', '--store-dir', join(home, 'pnpm'), ...flags, ...names]),
  };
  return project;
}

/** @returns {Promise<string>} what the command printed. @throws Error with that, when it fails */
export function run(command, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`"${[command, ...args].join(' ')}" failed: exit=${code ?? signal}\n${output.trim()}`));
    });
  });
}

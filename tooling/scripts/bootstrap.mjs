// Brings a fresh clone, with only Node and npm on the machine, to the point where a task can run, then runs it.
// It imports nothing that has to be installed, and it must parse on old Nodes, so that their users get an
// explanation and not a syntax error.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const MIN_NODE = [20, 19];
const MARKER = join(root, 'node_modules', '.langevin', 'installed.json');

/** What each root command runs once everything is installed: turbo tasks or an app to build, then a Node script with its arguments. */
const TASKS = {
  setup: {},
  build: { turbo: ['build'] },
  lint: { turbo: ['//#format:check', '//#lint:code'], script: 'tooling/scripts/check-skeleton.mjs', args: [] },
  format: { script: 'node_modules/prettier/bin/prettier.cjs', args: ['--write', '--log-level', 'warn', '.'] },
  typecheck: { turbo: ['//#typecheck:code', 'typecheck'] },
  new: { script: 'tooling/scripts/new.mjs', args: [] },
  changeset: { script: 'node_modules/@changesets/cli/bin.js', args: [] },
  'next-version': { script: 'tooling/scripts/version.mjs', args: [] },
  start: { build: './apps/cli', script: 'apps/cli/dist/main.js', args: ['sample', '--preset', 'emoji'] },
  test: { script: 'tooling/scripts/test.mjs', args: [] },
  bench: { build: './apps/bench', script: 'apps/bench/dist/main.js', args: [] },
  demo: { script: 'apps/demo/scripts/start.mjs', args: [] },
  evidence: { build: './apps/bench', script: 'apps/bench/dist/main.js', args: ['evidence'] },
  'train:quality': { build: './apps/bench', script: 'apps/bench/dist/main.js', args: ['train-quality'] },
  'train:latents': { build: './apps/bench', script: 'apps/bench/dist/main.js', args: ['train-latents'] },
};

/** What makes the sources that are not committed; each does nothing when they are there. */
const GENERATORS = ['packages/gaussians/scripts/build-kernels.mjs', 'packages/tensor/scripts/build-kernels.mjs'];

main(process.argv.slice(2));

function main([task, ...args]) {
  requireNode(process.versions.node);
  if (!Object.hasOwn(TASKS, task ?? '')) {
    fail(`unknown task: task=${task ?? '(none)'}. Known: ${Object.keys(TASKS).join(', ')}.`);
  }
  const env = environment(install());
  for (const script of GENERATORS) exec(process.execPath, [join(root, script)], env);
  const plan = TASKS[task];
  if (plan.turbo !== undefined) {
    exec(turbo(), ['run', ...plan.turbo, ...(plan.script === undefined ? args : []), '--output-logs=new-only'], env);
  }
  if (plan.build !== undefined) {
    if (!existsSync(join(root, plan.build, 'package.json')))
      fail(`the app is missing: path=${plan.build}. This checkout does not have it; nothing to run.`);
    exec(turbo(), ['run', 'build', `--filter=${plan.build}`, '--output-logs=errors-only', '--log-order=grouped'], env);
  }
  if (plan.script === undefined) return;
  process.exit(exec(process.execPath, [join(root, plan.script), ...plan.args, ...args], env, { mayFail: true }));
}

function requireNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  fail(`Node is too old: version=${version}, needed >=${MIN_NODE.join('.')}. Install a newer Node and run the command again.`);
}

/** Installs with the pinned pnpm unless nothing has changed since the last time; returns the folder that holds pnpm. */
function install() {
  const pnpmVersion = pinnedPnpm();
  const hash = fingerprint(pnpmVersion);
  const before = readMarker();
  if (before?.hash === hash && existsSync(before.pnpmDir) && existsSync(before.pnpm) && nothingRemoved()) return before.pnpmDir;

  console.log(`[workspace/bootstrap] installing with pnpm ${pnpmVersion}, install scripts off`);
  rmSync(MARKER, { force: true });
  const env = { ...process.env, npm_config_ignore_scripts: 'true', npm_config_yes: 'true', CI: 'true' };
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const viaNpx = ['--yes', `--package=pnpm@${pnpmVersion}`, '--'];
  exec(npx, [...viaNpx, 'pnpm', 'install', '--frozen-lockfile', '--ignore-scripts'], env, {
    advice: 'If a package.json was changed, bring pnpm-lock.yaml up to date (CONTRIBUTING.md says how); otherwise see the lines above.',
  });
  const found = spawnSync(npx, [...viaNpx, 'node', '-p', 'process.env.PATH'], {
    cwd: root,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const npxDir = (found.stdout ?? '')
    .trim()
    .split(delimiter)
    .find((dir) => existsSync(join(dir, 'pnpm')));
  if (npxDir === undefined)
    fail(`npx did not say where pnpm is: status=${found.status}. Run "npx pnpm@${pnpmVersion} --version" to see why.`);
  const pnpm = join(npxDir, '..', 'pnpm', 'bin', 'pnpm.mjs');
  const pnpmDir = process.platform === 'win32' ? npxDir : writeLauncher(pnpm);
  mkdirSync(dirname(MARKER), { recursive: true });
  writeFileSync(MARKER, JSON.stringify({ hash, pnpm, pnpmDir }));
  return pnpmDir;
}

/** pnpm's own launcher has no "#!" line, so only a shell can start it; turbo is none. */
function writeLauncher(pnpm) {
  const dir = join(dirname(MARKER), 'bin');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'pnpm'), `#!/bin/sh\nexec "${process.execPath}" "${pnpm}" "$@"\n`, { mode: 0o755 });
  return dir;
}

function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return packageManager.replace('pnpm@', '');
}

/** Changes exactly when an installation could give something else: lockfile, workspace settings, declared dependencies, or the machine. */
function fingerprint(pnpmVersion) {
  const hash = createHash('sha256').update([pnpmVersion, process.platform, process.arch, process.versions.modules, root].join('\n'));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  for (const { dir, declared } of members()) hash.update(`${dir}\n${JSON.stringify(declared)}\n`);
  return hash.digest('hex');
}

/** False when somebody removed an installed folder by hand. */
function nothingRemoved() {
  return members().every(
    ({ dir, declared }) =>
      Object.keys({ ...declared.dependencies, ...declared.devDependencies }).length === 0 || existsSync(join(root, dir, 'node_modules')),
  );
}

function members() {
  return ['.', ...['packages', 'apps', 'models', 'tooling'].flatMap(children), 'examples']
    .filter((dir) => existsSync(join(root, dir, 'package.json')))
    .map((dir) => {
      const { dependencies, devDependencies, peerDependencies, optionalDependencies } = JSON.parse(
        readFileSync(join(root, dir, 'package.json'), 'utf8'),
      );
      return { dir, declared: { dependencies, devDependencies, peerDependencies, optionalDependencies } };
    });
}

function children(parent) {
  const path = join(root, parent);
  return existsSync(path)
    ? readdirSync(path)
        .sort()
        .map((name) => `${parent}/${name}`)
    : [];
}

function readMarker() {
  try {
    return JSON.parse(readFileSync(MARKER, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The installed tools and the pinned pnpm come first on PATH; turbo runs each package's script through the latter. */
function environment(pnpmDir) {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const path = [join(root, 'node_modules', '.bin'), pnpmDir, process.env[key] ?? ''].join(delimiter);
  return { ...process.env, [key]: path, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
}

function turbo() {
  return join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'turbo.cmd' : 'turbo');
}

function exec(command, args, env, { mayFail = false, advice = 'See the lines above.' } = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command !== process.execPath,
  });
  if (done.error) fail(`could not start ${command}: ${done.error.message}. ${advice}`);
  const status = done.status ?? 1;
  if (status !== 0 && !mayFail) fail(`command failed: exit=${status}, command="${[command, ...args].join(' ')}". ${advice}`, status);
  return status;
}

function fail(message, status = 1) {
  console.error(`[workspace/bootstrap] ${message}`);
  process.exit(status);
}

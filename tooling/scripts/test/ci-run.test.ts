import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../../.ci/run', import.meta.url));
/** What the script may take from any machine; the rest of this one's PATH is out of its sight. */
const TOOLS = ['bash', 'env', 'dirname', 'mktemp', 'tail', 'rm', 'cat'];

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Machine {
  /** Bodies of the programs on the machine, beside those of every one. `id` and `npm` are always there. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly user?: 'root' | 'somebody';
  readonly chromium?: 'there' | 'missing';
  readonly npmExit?: number;
}

/** Writes what it was called with to a file, with what matters of its surroundings. */
const RECORD = 'echo "${0##*/} $*" >>"$CALLS"';
const INSTALLS = `${RECORD}
cat >/dev/null
[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 9
case "$*" in *install*)
  : >"$LANGEVIN_CHROMIUM_DIR/libvk_swiftshader.so"
  : >"$LANGEVIN_CHROMIUM_DIR/vk_swiftshader_icd.json"
  printf '#!/bin/sh\\n' >"$BIN/chromium"
  /bin/chmod +x "$BIN/chromium";;
esac`;
const SUDO = `echo "sudo $*" >>"$CALLS"\n[ "$1" = -n ] || exit 8\nshift\nexec "$@"`;

function runCi({ programs = {}, user = 'root', chromium = 'missing', npmExit = 0 }: Machine): {
  status: number | null;
  output: string;
  calls: string[];
  vulkan: boolean;
} {
  const home = mkdtempSync(join(tmpdir(), 'langevin-ci-'));
  folders.push(home);
  const bin = join(home, 'bin');
  const chromiumDir = join(home, 'chromium');
  for (const dir of [bin, chromiumDir]) mkdirSync(dir);
  const write = (name: string, body: string): void => {
    writeFileSync(join(bin, name), `#!${bin}/bash\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  for (const tool of TOOLS) symlinkSync(pathOf(tool), join(bin, tool));
  write('id', `echo ${user === 'root' ? 0 : 1000}`);
  write('npm', `echo "npm $* CI=$CI vulkan=\${VK_DRIVER_FILES:+set}" >>"$CALLS"\nexit ${npmExit}`);
  for (const [name, body] of Object.entries(programs)) write(name, body);
  if (chromium === 'there') {
    write('chromium', '');
    for (const file of ['libvk_swiftshader.so', 'vk_swiftshader_icd.json']) writeFileSync(join(chromiumDir, file), '');
  }
  const calls = join(home, 'calls');
  const done = spawnSync(join(bin, 'bash'), [SCRIPT], {
    env: { PATH: bin, BIN: bin, CALLS: calls, LANGEVIN_CHROMIUM_DIR: chromiumDir, TMPDIR: home, HOME: home },
    encoding: 'utf8',
  });
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
  return { status: done.status, output: done.stdout + done.stderr, calls: lines, vulkan: lines.at(-1)?.endsWith('vulkan=set') ?? false };
}

function pathOf(tool: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((dir) => join(dir, tool))
    .find(existsSync);
  if (found === undefined) throw new Error(`no ${tool} on PATH`);
  return found;
}

const OPTIONS = '-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300';
const UPDATE = `apt-get ${OPTIONS} update`;
const INSTALL = `apt-get ${OPTIONS} install -y --no-install-recommends chromium`;
const TESTS = 'npm test CI=true vulkan=';

describe.skipIf(process.platform === 'win32')('.ci/run', () => {
  it('installs nothing where chromium is', () => {
    const { status, output, calls } = runCi({ chromium: 'there', programs: { 'apt-get': INSTALLS } });
    expect({ status, output, calls }).toEqual({ status: 0, output: '', calls: [`${TESTS}set`] });
  });

  it('installs chromium as root, without questions, and shows its Vulkan driver to the tests', () => {
    const { status, output, calls } = runCi({ programs: { 'apt-get': INSTALLS } });
    expect({ status, output, calls }).toEqual({
      status: 0,
      output: '[ci] installing chromium for the WebGPU and browser tests\n',
      calls: [UPDATE, INSTALL, `${TESTS}set`],
    });
  });

  it('asks sudo where it is allowed without a password', () => {
    const { calls, vulkan } = runCi({ user: 'somebody', programs: { 'apt-get': INSTALLS, sudo: SUDO, true: '' } });
    expect(calls.filter((call) => !call.startsWith('sudo'))).toEqual([UPDATE, INSTALL, `${TESTS}set`]);
    expect(calls.filter((call) => call.startsWith('sudo'))).toEqual([
      'sudo -n true',
      `sudo -n env DEBIAN_FRONTEND=noninteractive ${UPDATE}`,
      `sudo -n env DEBIAN_FRONTEND=noninteractive ${INSTALL}`,
    ]);
    expect(vulkan).toBe(true);
  });

  it.each<[string, Machine]>([
    ['without apt-get', {}],
    ['without root or sudo', { user: 'somebody', programs: { 'apt-get': INSTALLS } }],
    ['when sudo wants a password', { user: 'somebody', programs: { 'apt-get': INSTALLS, sudo: 'exit 1' } }],
  ])('runs the tests %s, saying that some will be skipped', (_when, machine) => {
    const { status, output, calls } = runCi(machine);
    expect(output).toContain(
      '[ci] no chromium, and no apt-get as root to install it; the tests that need it will say that they were skipped',
    );
    expect({ status, calls }).toEqual({ status: 0, calls: [TESTS] });
  });

  it('installs from old lists where new ones cannot be had', () => {
    const { output, calls } = runCi({
      programs: { 'apt-get': `case "$*" in *update*) echo "apt-get update" >>"$CALLS"; exit 100;; esac\n${INSTALLS}` },
    });
    expect(calls).toEqual(['apt-get update', INSTALL, `${TESTS}set`]);
    expect(output).not.toContain('could not be installed');
  });

  it('shows the end of what apt-get said when it fails, and runs the tests', () => {
    const { status, output, calls } = runCi({ programs: { 'apt-get': `${RECORD}\necho "E: no such package $*"\nexit 100` } });
    expect(output).toContain('E: no such package');
    expect(output).toContain('[ci] chromium could not be installed');
    expect({ status, calls }).toEqual({ status: 0, calls: [UPDATE, INSTALL, TESTS] });
  });

  it('says so when the package brings no SwiftShader', () => {
    const { output, calls } = runCi({ programs: { 'apt-get': RECORD } });
    expect(output).toContain('was installed and left no');
    expect(calls.at(-1)).toBe(TESTS);
  });

  it('ends as npm test ends', () => {
    expect(runCi({ chromium: 'there', npmExit: 3 }).status).toBe(3);
  });
});

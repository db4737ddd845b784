import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * When a process began, in the words of the operating system; '' when it lives and the system does not say; undefined when there is no such
 * process. Two processes that had the same pid differ in it.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (!isRunning(pid)) return undefined;
  switch (process.platform) {
    case 'linux':
      return linuxStart(pid);
    case 'darwin':
    case 'freebsd':
    case 'openbsd':
    case 'sunos':
    case 'aix':
      return run('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
        ({ stdout }) => stdout.trim(),
        () => '',
      );
    default:
      return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, but is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ticks since boot, with the boot, as they begin anew with the next one. */
async function linuxStart(pid: number): Promise<string | undefined> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
    // The name of the program, in brackets, may hold anything; what comes after the last bracket begins with field 3, the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Z: it has ended, and its parent has not looked yet.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot.trim()} ${fields[19]}`;
  } catch {
    return '';
  }
}

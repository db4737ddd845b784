// Runs modules in child processes: many in one, or one in each.
import { fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

/**
 * Runs examples in a few processes, one after another in each.
 *
 * @param {{ id: number, url: string, cwd: string }[]} examples
 * @param {{ tensor: string, testing: string, timeoutMs: number, processes?: number }} options
 * @returns {Promise<Map<number, string>>} id -> what went wrong; an example that went well is not in it
 */
export async function runTogether(examples, { processes = 2, ...options }) {
  const faults = new Map();
  const queues = Array.from({ length: processes }, (_, i) => examples.filter((_example, j) => j % processes === i));
  await Promise.all(
    queues.map(async (queue) => {
      // An example that takes the process down costs itself; those after it go on in a new process.
      for (let rest = queue; rest.length > 0;) rest = rest.slice(await runSome(rest, options, faults));
    }),
  );
  return faults;
}

/** Returns how many were dealt with before the process ended. */
function runSome(examples, { tensor, testing, timeoutMs }, faults) {
  return new Promise((resolve) => {
    const child = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: ['--no-warnings'] });
    let done = 0;
    let stderr = '';
    let timer;
    let timedOut = false;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, timeoutMs);
    };
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('message', (message) => {
      watch();
      if (message.done === undefined) return;
      done += 1;
      stderr = '';
      if (message.error !== undefined) faults.set(message.done, message.error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (done < examples.length) {
        const cause = timedOut ? `not finished after ${timeoutMs} ms` : `the process ended before the example did: exit=${code ?? signal}`;
        faults.set(examples[done].id, `${cause}\n${stderr}`.trim());
        done += 1;
      }
      resolve(done);
    });
    watch();
    child.send({ examples, tensor, testing });
  });
}

/** Runs one module in a process of its own; returns what went wrong, or undefined. */
export function runAlone(file, { cwd, timeoutMs }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', file], { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : `exit=${code ?? signal}\n${stderr || stdout}`));
  });
}

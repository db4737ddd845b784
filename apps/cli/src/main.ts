#!/usr/bin/env node
import { run } from './run.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The second one is for commands that do not end by themselves.
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  });
}
// A reader that has seen enough, such as head, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));

// Where nothing is left that could go on, Node ends without a word.
const forsaken = (): void => {
  process.stderr.write(
    '[cli/main] the command waits for something that cannot come any more: a promise that nobody keeps, in a plugin if one is used. '
      + 'Correct the plugin; without one this is a bug in Langevin.\n',
  );
  process.exitCode = 1;
};
process.once('exit', forsaken);

const code = await run(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stderr.isTTY && { screen: process.stderr }),
  env: process.env,
  signal: stop.signal,
});
process.off('exit', forsaken);
process.exitCode = code;

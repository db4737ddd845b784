// `npm test`: the stages in order of price, each with its name and its seconds; the first failure ends the run.
// `npm test -- lint types` runs only the stages named; `npm test -- unit -- packages/io` passes the rest to vitest.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, root } from './lib.mjs';

const REPORT = join(root, 'node_modules', '.langevin', 'vitest.json');
const turbo = (tasks) => ['turbo', 'run', ...tasks, '--output-logs=errors-only', '--log-order=grouped'];

const STAGES = [
  {
    name: 'skeleton',
    what: 'every package has the same files, docs link to files that exist',
    command: ['node', 'tooling/scripts/check-skeleton.mjs'],
  },
  { name: 'lint', what: 'prettier; eslint with type information, import directions', tasks: ['//#format:check', '//#lint:code'] },
  { name: 'types', what: 'tsc over sources and tests of every package', tasks: ['//#typecheck:code', 'typecheck'] },
  { name: 'build', what: 'dist of every package', tasks: ['build'] },
  { name: 'knip', what: 'no unused files, exports or dependencies', tasks: ['//#knip'] },
  { name: 'packages', what: 'publint and attw on what would be published', command: ['node', 'tooling/scripts/check-packages.mjs'] },
  {
    name: 'examples',
    what: 'every example of every README and doc comment type-checks, runs and says the truth',
    command: ['node', 'tooling/scripts/check-examples.mjs'],
  },
  {
    name: 'unit',
    what: 'vitest, from source',
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`],
  },
];

main(process.argv.slice(2));

function main(args) {
  const split = args.indexOf('--');
  const names = split < 0 ? args : args.slice(0, split);
  const rest = split < 0 ? [] : args.slice(split + 1);
  const unknown = names.find((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    console.error(`[workspace/test] unknown stage: stage=${unknown}. Known: ${STAGES.map((stage) => stage.name).join(', ')}.`);
    process.exit(2);
  }
  const chosen = together(names.length === 0 ? STAGES : STAGES.filter((stage) => names.includes(stage.name)));

  mkdirSync(join(root, 'node_modules', '.langevin'), { recursive: true });
  rmSync(REPORT, { force: true });
  const times = [];
  for (const stage of chosen) {
    console.log(`\n=== ${stage.name}: ${stage.what}`);
    const start = performance.now();
    const status = run(commandOf(stage, rest));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    times.push(`${stage.name} ${seconds} s`);
    console.log(`=== ${stage.name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
    if (status !== 0) {
      console.error(
        `[workspace/test] stage failed: stage=${stage.name}, exit=${status}. Run it alone: npm test -- ${stage.name.replaceAll(',', '')}`,
      );
      if (stage.name === 'unit') printCounts();
      process.exit(status);
    }
  }
  console.log(`\nAll stages passed: ${times.join(', ')}.`);
  if (chosen.some((stage) => stage.name === 'unit')) printCounts();
}

/** Stages of turbo that follow each other are one run: none waits for another, and each has one core's work to do. */
function together(stages) {
  const merged = [];
  for (const stage of stages) {
    const last = merged.at(-1);
    if (stage.tasks === undefined || last?.tasks === undefined) merged.push(stage);
    else
      merged.splice(-1, 1, {
        name: `${last.name}, ${stage.name}`,
        what: `${last.what}; ${stage.what}`,
        tasks: [...last.tasks, ...stage.tasks],
      });
  }
  return merged;
}

function commandOf(stage, rest) {
  if (stage.tasks !== undefined) return turbo(stage.tasks);
  return stage.name === 'unit' ? [...stage.command, ...rest] : stage.command;
}

function run([command, ...args]) {
  const windows = process.platform === 'win32';
  const done = spawnSync(command === 'node' ? process.execPath : command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: windows && command !== 'node',
  });
  if (done.error) console.error(`[workspace/test] could not start ${command}: ${done.error.message}. Start this through "npm test".`);
  return done.status ?? 1;
}

/** The closing line, read from vitest's own report and never assumed. */
function printCounts() {
  let report;
  try {
    report = readJson(REPORT);
  } catch {
    console.error('[workspace/test] vitest left no report, so no count can be given.');
    return;
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
}

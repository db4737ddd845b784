// Prints a run's log as a Markdown table: `node tooling/scripts/training-table.mjs runs/emoji/log.jsonl [rows]`.
// Each row is the mean over the logged steps since the row before.
import { readFileSync } from 'node:fs';

const [path, wanted = '10'] = process.argv.slice(2);
if (path === undefined || !(Number(wanted) >= 1)) {
  console.error('[workspace/training-table] no log given: usage: node tooling/scripts/training-table.mjs <log.jsonl> [rows]');
  process.exit(1);
}
const lines = readFileSync(path, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const metrics = Object.keys(lines[0] ?? {}).filter((name) => name !== 'step');
const mean = (part, name) => part.reduce((sum, line) => sum + line[name], 0) / part.length;

console.log(`| to step | ${metrics.join(' | ')} |\n|---:|${metrics.map(() => '---:|').join('')}`);
const size = Math.ceil(lines.length / Number(wanted));
for (let start = 0; start < lines.length; start += size) {
  const part = lines.slice(start, start + size);
  console.log(`| ${part.at(-1).step} | ${metrics.map((name) => mean(part, name).toPrecision(3)).join(' | ')} |`);
}

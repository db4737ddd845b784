import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { engineBenchMarkdown, runEngineBench, trainForMemory } from './engine/run.ts';
import { runEvidence } from './evidence/run.ts';
import { profileMarkdown } from './profile/page.ts';
import { runProfile } from './profile/run.ts';

const HELP = `Usage: npm run bench -- engine [options]
       npm run bench -- profile [--case name] [options]
       npm run evidence [-- --write]

  engine        ops, networks, overhead and memory beside PyTorch, tfjs-wasm and jax-js
  profile       where the time of the networks' steps goes, by kernel and by op of the graph
  evidence      the op conformance table of every engine and provider found here

  --rounds n    counted rounds of the networks (default 7; single ops take 3 times as many)
  --only a,b    cases by name; --case says the same
  --threads n   threads of every contestant (default: the number of cores)
  --write       also write the page and its figures to docs/

PyTorch takes part when LANGEVIN_PYTHON, python3 or python can import torch.
WebGPU without a GPU takes Debian's chromium and its SwiftShader in the environment:
  LD_LIBRARY_PATH=/usr/lib/chromium VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json
  VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json XDG_RUNTIME_DIR=/tmp`;

const docs = join(dirname(fileURLToPath(import.meta.url)), '../../../docs');

function write(name: string, markdown: string, json: unknown): void {
  mkdirSync(docs, { recursive: true });
  writeFileSync(join(docs, `${name}.md`), markdown);
  writeFileSync(join(docs, `${name}.json`), `${JSON.stringify(json, null, 2)}\n`);
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, only: { type: 'string' }, case: { type: 'string' }, threads: { type: 'string' }, write: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const threads = Number(values.threads ?? availableParallelism());
  const rounds = Number(values.rounds ?? 7);
  const only = (values.only ?? values.case)?.split(',');
  const [task = 'engine'] = positionals;
  if (values.help) {
    console.log(HELP);
  } else if (task === 'train-for-memory') {
    console.log(await trainForMemory(threads));
  } else if (task === 'engine') {
    const result = await runEngineBench({
      threads,
      rounds: { operations: 3 * rounds, networks: rounds },
      report: (line) => console.error(line),
      ...(only === undefined ? {} : { only }),
    });
    const markdown = engineBenchMarkdown(result);
    console.log(markdown);
    if (values.write) write('benchmarks', markdown, result);
  } else if (task === 'profile') {
    const result = await runProfile({ threads, steps: rounds, only });
    const markdown = profileMarkdown(result);
    console.log(markdown);
    if (values.write) write('profile', markdown, result);
  } else if (task === 'evidence') {
    const { markdown, json, failed } = await runEvidence();
    console.log(markdown);
    if (values.write) write('evidence', markdown, json);
    if (failed > 0) process.exitCode = 1;
  } else {
    console.error(`[bench] unknown task: task=${task}. Known: engine, profile, evidence.\n${HELP}`);
    process.exitCode = 1;
  }
}

await main();

import { backbonePlugins } from '@langevin/backbones';
import { processes } from '@langevin/core-schedules';
import { datasetPlugins } from '@langevin/io/node';
import type { Command } from 'commander';
import { collect } from '../arguments.ts';
import { reportEngines } from '../engines.ts';
import { loadPlugins } from '../plugins.ts';
import { byName } from '../by-name.ts';
import { table } from '../table.ts';
import { line, type Terminal } from '../terminal.ts';

interface ListOptions {
  readonly plugin: readonly string[];
  readonly json?: true;
}

type Row = Readonly<Record<string, string | number | boolean>>;

const LISTS = { samplers, schedules, engines, backbones, datasets };

const AFTER_HELP = `
Examples:
  langevin list samplers
  langevin list engines --json
  langevin list samplers --plugin ./my-sampler.js`;

export function addList(program: Command, terminal: Terminal): void {
  program
    .command('list')
    .description(`List what there is by name: ${Object.keys(LISTS).join(', ')}.`)
    .argument('<kind>', Object.keys(LISTS).join(', '))
    .option('--plugin <file>', 'a module with samplers or spacings of your own; may be given again', collect, [])
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (kind: string, options: ListOptions) => {
      const rows = await byName(kind, LISTS, { part: 'list', kind: 'list' })(options);
      if (options.json) return line(terminal, JSON.stringify(rows));
      const columns = Object.keys(rows[0] ?? {});
      line(terminal, table([columns, ...rows.map((row) => columns.map((column) => show(row[column])))]));
    });
}

function show(value: Row[string] | undefined): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value ?? '');
}

async function samplers({ plugin }: ListOptions): Promise<readonly Row[]> {
  const registries = await loadPlugins(plugin);
  return registries.samplers.names.map((name) => {
    const { order, stochastic, paper } = registries.samplers.create(name);
    return { name, order, stochastic, paper };
  });
}

async function schedules({ plugin }: ListOptions): Promise<readonly Row[]> {
  const registries = await loadPlugins(plugin);
  return [
    ...processes.names.map((name) => ({ name, kind: 'noise process' })),
    ...registries.spacings.names.map((name) => ({ name, kind: 'spacing' })),
  ];
}

async function engines(): Promise<readonly Row[]> {
  return (await reportEngines()).map(({ engine, device, available, reason = '' }) => ({ engine, device, available, reason }));
}

function backbones(): Promise<readonly Row[]> {
  return Promise.resolve(backbonePlugins.map(({ name, className, summary }) => ({ name, className, summary })));
}

function datasets(): Promise<readonly Row[]> {
  return Promise.resolve(datasetPlugins.map(({ name, summary }) => ({ name, summary })));
}

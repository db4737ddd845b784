import type { Command } from 'commander';
import { collect } from '../arguments.ts';
import { reportEngines } from '../engines.ts';
import { needsGuidance } from '../needs-guidance.ts';
import { loadPlugins } from '../plugins.ts';
import { byName } from '../by-name.ts';
import { table } from '../table.ts';
import { line, type Terminal } from '../terminal.ts';

interface ListOptions {
  readonly plugin: readonly string[];
  readonly json?: true;
}

type Row = Readonly<Record<string, string | number | boolean>>;

const LISTS = { samplers, processes, spacings, engines, backbones, data };

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
    .option('--plugin <module>', 'a file or package that adds to the lists; may be given again', collect, [])
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
  const rows = await Promise.all(
    registries.samplers.names.map(async (name) => {
      const sampler = registries.samplers.create(name);
      const { order, stochastic, paper } = sampler;
      // No command makes a guided denoiser: what works with nothing else is not for the command line.
      return (await needsGuidance(sampler)) ? [] : [{ name, order, stochastic, paper }];
    }),
  );
  return rows.flat();
}

/** How noise depends on time. */
async function processes({ plugin }: ListOptions): Promise<readonly Row[]> {
  const { processes: known } = await loadPlugins(plugin);
  return known.names.map((name) => ({ name, options: known.optionsOf(name).join(', ') }));
}

/** Which noise levels the steps visit. */
async function spacings({ plugin }: ListOptions): Promise<readonly Row[]> {
  const { spacings: known } = await loadPlugins(plugin);
  return known.names.map((name) => ({ name, options: known.optionsOf(name).join(', ') }));
}

async function engines(): Promise<readonly Row[]> {
  return (await reportEngines()).map(({ engine, device, available, reason = '' }) => ({ engine, device, available, reason }));
}

async function backbones({ plugin }: ListOptions): Promise<readonly Row[]> {
  return (await loadPlugins(plugin)).backbones.map(({ name, className, summary }) => ({ name, className, summary }));
}

async function data({ plugin }: ListOptions): Promise<readonly Row[]> {
  return (await loadPlugins(plugin)).data.map(({ name, options, summary }) => ({ name, options: options.join(', '), summary }));
}

import { products } from '@langevin/pipelines';
import { Command } from 'commander';
import { byName } from '../by-name.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { reportEngines } from '../engines.ts';
import { families, familyNames, type FamilyName, type Row } from '../families.ts';
import { table } from '../table.ts';
import { line } from '../terminal.ts';

const AFTER_HELP = `
Examples:
  langevin list samplers
  langevin list engines --json
  langevin list samplers --plugin ./my-sampler.js`;

/** What is listed besides the families: it is found on the machine, or described elsewhere. */
const OTHERS = { engines, commands, models };

const KINDS = [...new Set([...familyNames, ...Object.keys(OTHERS)])];

export const listCommand: CliCommand = defineCommand({ name: 'list', add: addList });

function addList(program: Command, context: CommandContext): void {
  program
    .command('list')
    .description(`List what there is by name: ${KINDS.join(', ')}.`)
    .argument('<kind>', KINDS.join(', '))
    .option('--json', 'one JSON document on stdout instead of text')
    .addHelpText('after', AFTER_HELP)
    .action(async (kind: string, options: { readonly json?: true }) => {
      const lists = Object.fromEntries(KINDS.map((name) => [name, async () => rowsOf(name, context)]));
      const rows = await byName(kind, lists, { part: 'list', kind: 'list' })();
      if (options.json) return line(context, JSON.stringify(rows));
      const columns = Object.keys(rows[0] ?? {});
      line(context, table([columns, ...rows.map((row) => columns.map((column) => show(row[column])))]));
    });
}

function rowsOf(kind: string, context: CommandContext): Promise<readonly Row[]> | readonly Row[] {
  if (Object.hasOwn(OTHERS, kind)) return OTHERS[kind as keyof typeof OTHERS](context);
  return listed(kind as FamilyName, context);
}

/** A family's own type of what it knows goes in. */
function listed<Name extends FamilyName>(name: Name, { registries }: CommandContext): Promise<readonly Row[]> | readonly Row[] {
  const { rows } = families[name] as unknown as { readonly rows: (known: (typeof registries)[Name]) => Promise<readonly Row[]> };
  return rows(registries[name]);
}

function show(value: Row[string] | undefined): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value ?? '');
}

async function engines(): Promise<readonly Row[]> {
  return (await reportEngines()).map(({ engine, device, available, reason = '' }) => ({ engine, device, available, reason }));
}

/** Kinds of checkpoints that `langevin generate` makes pictures with. */
function models(): readonly Row[] {
  return products.map(({ name, summary, pipelines }) => ({ name, summary, pipelines: pipelines.join(', ') }));
}

/** Commands say themselves what they do: each is added to a program of its own. */
function commands(context: CommandContext): readonly Row[] {
  return context.registries.commands.map(({ name, add }) => {
    const program = new Command();
    add(program, context);
    return { name, summary: program.commands[0]?.description() ?? '' };
  });
}

import { Command, CommanderError } from 'commander';
import { collect } from './arguments.ts';
import { commands } from './commands/index.ts';
import type { CommandContext } from './define-command.ts';
import { describeFailure } from './failure.ts';
import { builtIn } from './families.ts';
import { loadPlugins, pluginsOf } from './plugins.ts';
import { remark, type Terminal } from './terminal.ts';
import { version } from './version.ts';

const DESCRIPTION =
  'Train diffusion models of images and sample from them, and 3D Gaussians from photographs, on the CPU or a GPU, without Python.';

const AFTER_HELP = `
Examples:
  langevin sample --preset emoji                          a grid of emoji, one row for each category
  langevin train configs/emoji.json --folder runs/emoji   train a model; Ctrl+C stops it, --resume goes on
  langevin splat train scene --out scene.ply              3D Gaussians from posed photographs
  langevin data show emoji --out sheet.png                data sets with captions, to look at
  langevin list engines --json                            what can compute here, and why the rest cannot

Exit codes: 0 done, 1 something that was asked for is wrong or not possible, 2 a bug in Langevin.
Ctrl+C and SIGTERM end every command: training keeps its state for --resume and ends with 0; what cannot be gone on with writes nothing
and ends with 1.
LANGEVIN_DEBUG=1 shows stack traces.`;

/**
 * Run the command line.
 *
 * @param args what follows the command's name
 * @returns the exit code
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const registries = await loadPlugins(pluginsOf(args), { ...builtIn, commands });
    await createProgram({ ...terminal, registries }).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Help and version are shown by an exception too.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const command = commands.find(({ name }) => name === args[0])?.name ?? '';
    if (error instanceof CommanderError && error.code === 'commander.help') return 1;
    const debug = Boolean(terminal.env['LANGEVIN_DEBUG']);
    const { code, kind, message, stack } = describeFailure(error, { command, debug });
    remark(terminal, message);
    if (stack !== undefined) remark(terminal, stack);
    if (args.includes('--json')) terminal.out(`${JSON.stringify({ error: { kind, message } })}\n`);
    return code;
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('langevin')
    .description(DESCRIPTION)
    .version(version)
    .exitOverride()
    // Messages are written by run(), in one place and one form.
    .configureOutput({ writeOut: context.out, writeErr: context.err, outputError: () => {} })
    .addHelpText('after', AFTER_HELP);
  for (const { add } of context.registries.commands) add(program, context);
  program.commands.forEach(takePlugins);
  return program;
}

/** Plugins are loaded before a command line is read, since they may bring commands: here the option is only known, and in the help. */
function takePlugins(command: Command): void {
  command.commands.forEach(takePlugins);
  if (command.commands.length > 0 || command.options.some(({ long }) => long === '--plugin')) return;
  command.option('--plugin <module>', 'a file or package with parts of your own; may be given again', collect, []);
}

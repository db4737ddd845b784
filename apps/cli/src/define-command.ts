import { UserError } from '@langevin/tensor';
import type { CliCommand } from './families.ts';

export type { CliCommand, CommandContext } from './families.ts';

/** A command as a frozen value. @throws UserError when its name is not kebab-case, or it adds nothing */
export function defineCommand({ name, add }: CliCommand): CliCommand {
  if (typeof name !== 'string' || !/^[a-z0-9]+(-[a-z0-9]+)*$/u.test(name) || typeof add !== 'function')
    throw new UserError(
      `[cli/command] command has no name or adds nothing: name=${String(name)}. Give { name, add } with a kebab-case name.`,
    );
  return Object.freeze({ name, add });
}

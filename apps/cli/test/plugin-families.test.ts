import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { familyNames } from '../src/families.ts';
import { cli, temporaryFolder } from './run-cli.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A part of each family, from outside, as plain JavaScript. */
const PLUGIN = `
const named = (more) => () => Object.freeze({ name: 'mine', ...more });
const step = async ({ x }) => ({ x, denoised: x });
export const samplers = { mine: named({ order: 1, stochastic: false, paper: 'none', init: () => ({}), step }) };
export const spacings = { mine: named({ levels: () => [] }) };
export const processes = { mine: named({}) };
export const weights = { mine: named({}) };
export const levels = { mine: named({}) };
export const preconditionings = { mine: named({}) };
export const metrics = { mine: named({ summary: 'Mine.' }) };
export const guidance = { mine: named({ summary: 'Mine.' }) };
export const strategies = { mine: named({ paper: 'none' }) };
export const deformations = { mine: named({ kind: 'mine' }) };
const fails = () => {
  throw new TypeError('not yet');
};
export const backbones = [{ name: 'mine', className: 'Mine', summary: 'Mine.', parse: fails }];
export const steering = [{ name: 'mine', className: 'Mine', summary: 'Mine.', parse: fails }];
export const encoders = [{ name: 'mine', className: 'Mine', summary: 'Mine.', parse: fails }];
export const autoencoders = [{ name: 'mine', className: 'Mine', summary: 'Mine.', parse: fails }];
export const regularisers = { mine: named({ summary: 'Mine.' }) };
export const losses = { mine: named({ summary: 'Mine.' }) };
export const data = [{ name: 'mine', summary: 'Mine.', licences: [], options: ['size'], parts: () => [], open: fails }];
export const splatFormats = [
  {
    ...{ name: 'mine', extensions: ['.mine'], keeps: 'all', loses: 'nothing' },
    ...{ matches: () => false, read: async () => 1, bytesPerGaussian: () => 1 },
  },
];
export const commands = [
  {
    name: 'mine',
    add: (program, { registries, out }) =>
      program
        .command('mine')
        .description('Says what there is.')
        .option('--fail')
        .action(({ fail }) => {
          if (fail) throw new TypeError('no');
          out(Object.keys(registries).join());
        }),
  },
];
`;

async function plugin(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'mine.mjs');
  await writeFile(file, text);
  return file;
}

describe('a plugin', () => {
  it.each(familyNames)('adds to %s, and "langevin list" shows it', async (family) => {
    const { code, out, err } = await cli(['list', family, '--json', '--plugin', await plugin(PLUGIN)]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect((JSON.parse(out) as { name: string }[]).map(({ name }) => name)).toContain('mine');
    const without = await cli(['list', family, '--json']);
    const known = (JSON.parse(without.out) as { name: string }[]).map(({ name }) => name);
    expect(known).not.toContain('mine');
    expect(known.length).toBeGreaterThan(0);
  });

  it('brings commands, which receive all families', async () => {
    const file = await plugin(PLUGIN);
    expect(await cli(['mine', `--plugin=${file}`])).toMatchObject({ code: 0, out: familyNames.join() });
    expect((await cli(['mine'])).err).toContain("unknown command 'mine'");
    const { code, err } = await cli(['mine', '--fail', '--plugin', file]);
    expect(code).not.toBe(0);
    expect(err).toContain('no');
  });

  it.each(familyNames)('with something else under %s is refused, and the wanted form said', async (family) => {
    for (const wrong of ['3', "'x'", '[3]', '{ mine: 3 }', '[{}]', "[{ name: 'mine' }]"]) {
      const { code, err } = await cli(['list', family, '--plugin', await plugin(`export const ${family} = ${wrong};\n`)]);
      expect({ code, wrong }).toEqual({ code: 1, wrong });
      expect(err).toMatch(new RegExp(`^\\[cli/plugin\\] export is of another kind: plugin=.*, export=${family}\\. Make it `, 'u'));
    }
  });

  it('cannot take a name that exists, and what it throws names it', async () => {
    const taken = await plugin("export const data = [{ name: 'mnist', parts: () => [], open: () => 1, options: [] }];\n");
    expect((await cli(['list', 'data', '--plugin', taken])).err).toContain('[cli/plugin] the name of a data set is taken: plugin=');
    const again = await plugin(`export const commands = [{ name: 'train', add: () => 1 }];\n`);
    expect((await cli(['list', 'data', '--plugin', again])).err).toContain('the name of a command is taken');
    const getter = await plugin('export const data = new Proxy([], { get() { throw new Error("trap"); } });\n');
    const { code, err } = await cli(['list', 'data', '--plugin', getter]);
    expect({ code, names: err.includes('plugin failed') && err.includes('trap') }).toEqual({ code: 1, names: true });
  });
});

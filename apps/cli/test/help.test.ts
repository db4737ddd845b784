import { describe, expect, it } from 'vitest';
import { cli } from './run-cli.ts';

const COMMANDS = ['sample', 'train', 'export', 'list', 'info'] as const;

describe('help', () => {
  it('names every command, with examples and exit codes', async () => {
    const { code, out, err } = await cli(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const command of COMMANDS) expect(out).toContain(`\n  ${command} `);
    expect(out).toContain('Examples:\n  langevin sample --preset emoji');
    expect(out).toContain('Exit codes: 0 done');
  });

  it.each(COMMANDS)('of %s says what it does, its options, and gives examples', async (command) => {
    const { code, out, err } = await cli([command, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^Usage: langevin ${command} `));
    expect(out).toContain('--json');
    expect(out).toContain(`Examples:\n  langevin ${command} `);
  });

  it('is shown on stderr, with exit code 1, when nothing is asked for', async () => {
    const { code, out, err } = await cli([]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Usage: langevin');
  });

  it('knows its version', async () => {
    expect(await cli(['--version'])).toEqual({ code: 0, out: '0.0.0\n', err: '' });
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InternalError, UnsupportedError, UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { describeFailure } from '../src/failure.ts';
import { cli, temporaryFolder } from './run-cli.ts';

describe('what is wrong is said in one line, with the value and what to do', () => {
  it.each([
    [['sampel'], '[cli/arguments] unknown command \'sampel\'. Did you mean sample? See "langevin --help".'],
    [['sample', '--stpes', '3'], '[cli/arguments] unknown option \'--stpes\'. Did you mean --steps? See "langevin sample --help".'],
    [['sample'], '[cli/sample] no model is named. Give --preset emoji, or --checkpoint with a folder.'],
    [['sample', '--preset', 'emojy'], '[cli/sample] unknown preset: "emojy". Did you mean "emoji"? Known: emoji.'],
    [
      ['sample', '--preset', 'emoji', '--checkpoint', 'x'],
      '[cli/sample] two models are named: --preset=emoji, --checkpoint=x. Give one of them.',
    ],
    [
      ['sample', '--checkpoint', 'x', '--steps', '0'],
      "[cli/arguments] option '--steps <n>' argument '0' is invalid. Give an integer from 1 to 100000. See \"langevin sample --help\".",
    ],
    [
      ['sample', '--checkpoint', 'x', '--seed', '1.5'],
      "[cli/arguments] option '--seed <n>' argument '1.5' is invalid. Give an integer >= 0. See \"langevin sample --help\".",
    ],
    [
      ['sample', '--checkpoint', 'x', '--seed', '18446744073709551615'],
      'argument \'18446744073709551615\' is invalid. Give an integer from 0 to 9007199254740991. See "langevin sample --help".',
    ],
    [
      ['sample', '--checkpoint', 'x', '--out', 'y.gif'],
      '[cli/sample] ending of the picture is not known: --out=y.gif. Use one of .png, .jpg, .jpeg, .webp.',
    ],
    [['sample', '--checkpoint', 'x', '--out', '/dev/null/y.png'], 'a part of the path is a file: '],
    [['sample', '--preset', 'emoji', '--engine', 'onnx'], '[cli/engine] unknown engine: "onnx". Known: onnxruntime, tfjs.'],
    [['sample', '--checkpoint', 'x', '--sampler', 'huen'], '[samplers/names] unknown sampler: "huen". Did you mean "heun"?'],
    [['sample', '--checkpoint', 'x', '--spacing', 'karas'], '[samplers/names] unknown spacing: "karas". Did you mean "karras"?'],
    [
      ['sample', '--checkpoint', 'x', '--spacing', 'gits'],
      '[core-schedules/gits] the grid is computed from a fine run of the model: teacher=undefined.',
    ],
    [
      ['sample', '--checkpoint', 'x', '--spacing', 'align-your-steps', '--set-spacing', 'modle=sdxl'],
      '[spacing/align-your-steps] unknown option: "modle". Did you mean "model"?',
    ],
    [['sample', '--checkpoint', 'x', '--sampler', 'DPM++ 2M Karras', '--set-spacing', 'rho=0'], '[core-schedules/karras] rho'],
    [
      ['sample', '--preset', 'emoji', '--set', 'eta'],
      "option '--set <name=value>' argument 'eta' is invalid. Give name=value, such as eta=0.5.",
    ],
    [['sample', '--checkpoint', '/nowhere'], '[pipelines/checkpoint] nothing to load: path=/nowhere.'],
    [['sample', '--checkpoint', 'x', '--plugin', '/nowhere.js'], '[cli/plugin] plugin cannot be loaded: plugin=/nowhere.js,'],
    [['train'], '[cli/arguments] missing required argument \'config\'. See "langevin train --help".'],
    [['train', '/nowhere.json'], '[io/read] cannot read "/nowhere.json": code=ENOENT. Check the path.'],
    [['export', '/nowhere', 'out'], '[pipelines/run] run has no checkpoint: folder=/nowhere.'],
    [
      ['export', 'a', 'b', '--dtype', 'float8'],
      "[cli/arguments] option '--dtype <dtype>' argument 'float8' is invalid. Allowed choices are float16, float32. See \"langevin "
        + 'export --help".',
    ],
    [
      ['list', 'sampler'],
      '[cli/list] unknown list: "sampler". Did you mean "samplers"? Known: samplers, spacings, processes, weights, levels, '
        + 'preconditionings, guidance, backbones, steering, encoders, autoencoders, regularisers, losses, data, metrics, strategies, '
        + 'deformations, splatFormats, commands, engines, models.',
    ],
    [['info', '/nowhere'], '[pipelines/checkpoint] nothing to load: path=/nowhere.'],
    [['info', ''], '[pipelines/checkpoint] nothing to load: path="".'],
    [['sample', '--checkpoint', ''], '[pipelines/checkpoint] nothing to load: path="".'],
    [['sample', '--checkpoint', 'x', '--out', ''], '[cli/sample] ending of the picture is not known: --out=.'],
    [['export', '', 'out'], '[pipelines/checkpoint] nothing to load: path="".'],
    [['train', ''], '[io/read] path is not one: path="".'],
    [['train', 'x.json', '--resume', '--resume-previous'], '--resume and --resume-previous are both given. Give one of them.'],
    [['sample', '--checkpoint', 'x', '--plugin', 'no-such-package'], '[cli/plugin] plugin cannot be loaded: plugin=no-such-package, '],
    [
      ['sample', '--checkpoint', 'x', '--sampler', 'dpmpp-2m-cfg-pp'],
      '[cli/sample] sampler works with guided denoisers only: --sampler dpmpp-2m-cfg-pp. Add --guidance, such as --guidance 1.5.',
    ],
    [['sample', '--checkpoint', 'x', '--guidance', 'much'], '--guidance'],
    [['sample', '--checkpoint', 'x', '--sampler', 'euler_cfg_pp'], '[cli/sample] sampler works with guided denoisers only'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await cli(args);
    const lines = err
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('loading '));
    expect({ code, out, lines: lines.length }, err).toEqual({ code: 1, out: '', lines: 1 });
    expect(lines[0]).toContain(message);
  });

  it('in what a plugin imports', async () => {
    const plugin = join(await temporaryFolder(), 'mine.mjs');
    await writeFile(plugin, "import '@langevin/nowhere';\n");
    const { code, err } = await cli(['list', 'samplers', '--plugin', plugin]);
    expect(code).toBe(1);
    expect(err).toContain(`Cannot find package '@langevin/nowhere' imported from ${plugin}. Install what the plugin imports`);
    expect((await cli(['list', 'samplers', '--plugin', '/nowhere.js'])).err).toContain('Give a JavaScript module');
  });

  it('in exports of a plugin that run its code', async () => {
    const plugin = join(await temporaryFolder(), 'mine.mjs');
    await writeFile(plugin, "export const samplers = { get mine() { throw new Error('boo'); } };\n");
    const { code, err } = await cli(['list', 'samplers', '--plugin', plugin]);
    expect(code).toBe(1);
    expect(err).toContain(`[cli/plugin] plugin failed: plugin=${plugin}, its exports, Error: boo. Correct the plugin`);
  });

  it('in a configuration', async () => {
    const path = join(await temporaryFolder(), 'c.json');
    await writeFile(path, '{"name":"x","seed":-1}');
    const { code, err } = await cli(['train', path]);
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`^\\[pipelines/config\\] entry is not valid: .*file=${path}\\.`));
    await writeFile(
      path,
      JSON.stringify({
        name: 'x',
        seed: 1,
        data: { name: 'emojis' },
        backbone: { _class_name: 'UNet3DModel' },
        optimizer: { name: 'adam', learningRate: 1 },
        batchSize: 1,
        average: { std: 0.1 },
      }),
    );
    expect((await cli(['train', path])).err).toContain('Did you mean "UNet2DModel"?');
  });

  it('is an object on stdout for machines', async () => {
    const { code, out } = await cli(['info', '/nowhere', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: { kind: 'user', message: expect.stringContaining('[pipelines/checkpoint] nothing to load') as string },
    });
  });

  it('with a stack trace only when LANGEVIN_DEBUG is set', async () => {
    expect((await cli(['info', '/nowhere'])).err).not.toContain('    at ');
    expect((await cli(['info', '/nowhere'], { env: { LANGEVIN_DEBUG: '1' } })).err).toContain('    at ');
  });
});

describe('exit codes', () => {
  const options = { command: 'info', debug: false };

  it('tell what the user can mend from our bugs', () => {
    expect(describeFailure(new UserError('[a/b] c'), options)).toEqual({ code: 1, kind: 'user', message: '[a/b] c' });
    expect(describeFailure(new UnsupportedError('[a/b] c\n  d'), options)).toEqual({ code: 1, kind: 'unsupported', message: '[a/b] c d' });
    expect(describeFailure(new InternalError('[a/b] c.'), options)).toMatchObject({
      code: 2,
      kind: 'internal',
      message: '[a/b] c. This is a bug in Langevin; please report it.',
    });
    const disk = Object.assign(new Error("EROFS: read-only file system, open 'x'"), { code: 'EROFS', syscall: 'open' });
    expect(describeFailure(disk, options)).toEqual({
      code: 1,
      kind: 'user',
      message:
        "[cli/disk] the operating system refuses: EROFS: read-only file system, open 'x'. The disk is read-only: choose another folder.",
    });
    const bug = describeFailure(new TypeError('x is not a function'), options);
    expect(bug).toMatchObject({
      code: 2,
      kind: 'internal',
      message: '[cli/internal] unexpected error: x is not a function. This is a bug in Langevin; please report it with the lines below.',
    });
    expect(bug.stack).toContain('errors.test.ts');
    expect(describeFailure('text', options)).toMatchObject({ code: 2 });
  });

  it('show what led to an error', () => {
    const { stack } = describeFailure(new UserError('outer', { cause: new Error('inner') }), { command: '', debug: true });
    expect(stack).toMatch(/outer[\s\S]*caused by Error: inner/);
  });
});

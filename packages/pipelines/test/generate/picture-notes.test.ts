import { encodePng, readPngText, withPngText } from '@langevin/io';
import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { notesOf, recipeOf, recipeOfNotes } from '../../src/generate/picture-notes.ts';
import type { GenerateReport } from '../../src/generate/report.ts';

const report: GenerateReport = {
  product: 'stable-diffusion',
  model: 'models/a "tiny" one',
  prompts: ['ein Kätzchen 🐈, it’s sitting', 'b'],
  negativePrompts: ['ugly', null],
  seeds: ['18446744073709551615', '0'],
  noise: 'each',
  width: 64,
  height: 32,
  steps: 5,
  calls: 9,
  guidance: 7.5,
  guidanceRescale: 0,
  eta: 0,
  start: { sha256: ['a'.repeat(64), 'b'.repeat(64)], strength: 0.5, masks: ['c'.repeat(64), 'd'.repeat(64)], outside: 'kept' },
  controls: [{ from: 'edges', sha256: ['e'.repeat(64), 'f'.repeat(64)], scale: 0.5, between: [0, 0.75] }],
  imagePrompts: [{ from: 'ip.safetensors', sha256: ['1'.repeat(64), '2'.repeat(64)], scale: 0.6 }],
  adapters: [{ name: 'style', from: 'style.safetensors', strength: { unet: 0.8 } }],
  embeddings: [{ token: '<it>', from: 'it.safetensors' }],
  clipSkip: 1,
  clipSkipAs: 'diffusers',
  dialect: 'a1111',
  windows: 'all',
  scheduler: { _class_name: 'HeunDiscreteScheduler', beta_end: 0.012, lambda_min_clipped: -Infinity },
  sampler: null,
  memory: 'keep',
  notes: ['text did not fit: "and so on"'],
};

describe('how a picture was made', () => {
  it('goes through the file of the picture and back', async () => {
    const picture = await encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) });
    for (const i of [0, 1]) {
      const recipe = recipeOf(report, i);
      const notes = await readPngText(withPngText(picture, notesOf(recipe)));
      expect(recipeOfNotes(notes, 'a.png')).toEqual(recipe);
    }
    expect(recipeOf(report, 1)).toMatchObject({ prompt: 'b', negativePrompt: null, seed: '0', place: 0, pictures: 1 });
  });

  it('names the first seed and the place where a batch shares its noise', () => {
    expect(recipeOf({ ...report, noise: 'shared' }, 1)).toMatchObject({ seed: '18446744073709551615', place: 1, pictures: 2 });
  });

  it('is shown to other programs in the form that they know', () => {
    expect(notesOf(recipeOf(report, 0))['parameters']).toBe(
      [
        'ein Kätzchen 🐈, it’s sitting',
        'Negative prompt: ugly',
        'Steps: 5, Sampler: HeunDiscreteScheduler, CFG scale: 7.5, Seed: 18446744073709551615, Size: 64x32, '
          + 'Model: "models/a \\"tiny\\" one", Denoising strength: 0.5, Clip skip: 2, Version: langevin',
      ].join('\n'),
    );
    expect(notesOf(recipeOf(report, 1))['parameters']!.split('\n')).toHaveLength(2);
  });

  it('names the picture that it began with', () => {
    const start = { sha256: ['a'.repeat(64), 'b'.repeat(64)], strength: 0.5 };
    expect(recipeOf({ ...report, start }, 1).start).toEqual({ sha256: 'b'.repeat(64), strength: 0.5, mask: null, outside: null });
    expect(notesOf(recipeOf({ ...report, start }, 0))['parameters']).toContain(', Denoising strength: 0.5,');
    const { start: _, ...ofNoise } = report;
    expect(recipeOf(ofNoise, 0).start).toBeNull();
  });

  it.each([
    [{}, /does not say how it was made: file=a\.png\. Programs that edit/u],
    [{ parameters: 'a cat\nSteps: 20' }, /note "parameters" of another program: "a cat/u],
    [{ langevin: '{' }, /is no JSON/u],
    [{ langevin: '[]' }, /is not valid/u],
    [{ langevin: JSON.stringify({ ...recipeOf(report, 0), width: 1e9 }) }, /width/u],
    [{ langevin: JSON.stringify({ ...recipeOf(report, 0), seed: '-1' }) }, /seed/u],
    [{ langevin: JSON.stringify({ ...recipeOf(report, 0), version: 2 }) }, /version/u],
  ])('is refused where it cannot be read: %#', (notes, message) => {
    expect(() => recipeOfNotes(notes as Readonly<Record<string, string>>, 'a.png')).toThrow(UserError);
    expect(() => recipeOfNotes(notes as Readonly<Record<string, string>>, 'a.png')).toThrow(message);
  });
});

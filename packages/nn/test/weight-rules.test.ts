import { numbers, ones, reshape, tensor, UserError, zeros, type Tensor } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { fitWeights, type WeightRules } from '../src/index.ts';

const template = { shared: { weight: zeros([4, 2]) }, embed: { weight: zeros([4, 2]) }, q: { weight: zeros([2, 2]) } };
const matrix = (value: number): Tensor => tensor([value, value, value, value], { shape: [2, 2] });
const rules: WeightRules = {
  renames: [
    { pattern: /query\.(weight)/u, becomes: 'q.$1', values: (w) => (w.rank === 4 ? reshape(w, [2, 2]) : w), reason: 'older' },
    { pattern: /q|que/u, becomes: 'q.weight', reason: 'never: a pattern is of whole names' },
  ],
  tied: { 'embed.weight': 'shared.weight', 'shared.weight': 'embed.weight' },
  ignored: [{ pattern: /position_ids/u, reason: 'counted' }],
};
const fit = (entries: Readonly<Record<string, Tensor>>) =>
  fitWeights(template, new Map(Object.entries(entries)), { rules, from: 'a.file' });

describe('fitWeights', () => {
  it('accounts for every tensor of the file and every parameter', async () => {
    const { params, account } = fit({
      'shared.weight': ones([4, 2]),
      'query.weight': reshape(matrix(3), [2, 2, 1, 1]),
      position_ids: zeros([7]),
    });
    expect(account).toEqual({
      used: 2,
      renamed: [{ from: 'query.weight', to: 'q.weight', reason: 'older' }],
      tied: [{ name: 'embed.weight', to: 'shared.weight' }],
      ignored: [{ name: 'position_ids', reason: 'counted' }],
    });
    expect(await numbers(params.q.weight)).toEqual([3, 3, 3, 3]);
    expect(params.embed.weight).toBe(params.shared.weight);
  });

  it('takes an own name before a spelling, and keeps both of a tied pair where a file has both', async () => {
    const { params, account } = fit({ 'shared.weight': ones([4, 2]), 'embed.weight': zeros([4, 2]), 'q.weight': matrix(1) });
    expect(account).toEqual({ used: 3, renamed: [], tied: [], ignored: [] });
    expect((await numbers(params.embed.weight))[0]).toBe(0);
  });

  it.each([
    [{ 'q.weight': matrix(1) }, /a\.file lacks "shared\.weight", "embed\.weight" and has nothing/u],
    [{ 'shared.weight': ones([4, 2]), 'q.weight': matrix(1), 'q.weigth': matrix(1) }, /has "q\.weigth" that the model does not know/u],
    [{ 'shared.weight': ones([4, 2]), query: matrix(1) }, /lacks "q\.weight" and has "query"/u],
    [
      { 'shared.weight': ones([4, 2]), 'q.weight': matrix(1), 'query.weight': matrix(1) },
      /two tensors are one weight: a\.file has "q\.weight" and "query\.weight"/u,
    ],
    [{ 'shared.weight': ones([2, 4]), 'q.weight': matrix(1) }, /another shape or dtype: name=shared\.weight, a\.file has float32\[2, 4\]/u],
    [{ 'shared.weight': zeros([4, 2], 'int32'), 'q.weight': matrix(1) }, /has int32\[4, 2\]/u],
  ])('refuses what does not fit: %#', (entries, message) => {
    expect(() => fit(entries as Readonly<Record<string, Tensor>>)).toThrow(UserError);
    expect(() => fit(entries as Readonly<Record<string, Tensor>>)).toThrow(message);
  });
});

import { programKinds, type ProgramKind } from '@langevin/tensor/testing';
import { markdownTable } from '../table.ts';
import type { ProgramsResult, ProgramsTally } from './programs.ts';

const KINDS: Readonly<Record<ProgramKind, string>> = {
  smooth: 'every op, 3 to 7 uses, numbers in [-2, 2); values, gradients by every input, gradients of those',
  special: 'NaN, infinities, both zeros, ties and numbers of 2^20 among the elements; values',
  dtypes: 'float16, int32, int64, uint8 and bool where ops take them; values',
  empty: 'axes of size 0, 1 and 2; values and both gradients',
  batched: 'one compiled function with batches of 5, 1, 2 and 7; values, and both gradients of the first',
  rewrites:
    'what graph optimisers rewrite: borders before poolings and convolutions, scaled, transposed and biased products, convolutions with '
    + 'scales, shifts and activations, negated conditions, clamps of clamps, casts to and fro, quotients, pieces joined again, norms and '
    + 'activations written out',
};

const LEFT_OUT = [
  'Infinities that meet zeros inside of an op: the border or the dilated kernel of a convolution, the scale of a group norm, a weight of '
    + "attention or of bilinear resizing that is 0. Whether that is NaN is each engine's own, and PyTorch's.",
  'Where PyTorch does otherwise on purpose: the sign of NaN (ours is NaN, its 0), equal operands of maximum and minimum (our gradient goes '
    + 'to the first, half of its to each), interpolation between infinities, logSoftmax beside one. There PyTorch computes what is '
    + 'documented here instead.',
  'Integers cast from NaN or infinity, and sums of special values whose order decides, such as 2^20 - 2^20 + 1.',
  'Elements that rounding decides, such as floor(erf(4)): the column "by rounding" counts them. They are found by running the reference '
    + 'with every result moved up or down by its rounding.',
  'Host code, random numbers and files, which have tests of their own.',
];

/** docs/evidence-programs.md */
export function programsPage(result: ProgramsResult): string {
  const engines = [...new Set(result.tallies.map(({ engine }) => engine))];
  const sum = (engine: string, of: (tally: ProgramsTally) => number): number =>
    result.tallies.filter((tally) => tally.engine === engine).reduce((total, tally) => total + of(tally), 0);
  const ran = engines
    .filter((engine) => engine !== 'PyTorch')
    .reduce((total, engine) => total + sum(engine, ({ programs }) => programs), 0);
  const row = (engine: string): (string | number)[] => [
    engine,
    ...programKinds.map((kind) => result.tallies.find((tally) => tally.engine === engine && tally.kind === kind)?.programs ?? 0),
    sum(engine, ({ compared }) => compared),
    sum(engine, ({ unsettled }) => unsettled),
    sum(engine, ({ refused }) => refused),
    sum(engine, ({ different }) => different),
  ];
  const uses = Object.entries(result.uses).sort(([, a], [, b]) => a - b);
  return [
    '# Evidence: random programs',
    '',
    'Made by `npm run evidence -- programs --write`; do not edit by hand. Random programs of all ops are run on every engine found here, '
      + 'eagerly and',
    'compiled, with arguments that are frozen or donated, twice, and compared with the float64 reference engine; and the reference with '
      + 'PyTorch. What may',
    'differ is what rounding in float32 can do to that very program. `--seed n` draws others; a program that fails is shrunk and printed '
      + 'as a line for a test.',
    '',
    `${result.distinct} different programs (seed ${result.seed}), run ${ran} times; `
      + `${result.torch === undefined ? 'no PyTorch on this machine' : `PyTorch ${result.torch}`}.`,
    '',
    markdownTable(['engine', ...programKinds, 'elements', 'by rounding', 'refused', 'different'], engines.map(row)),
    '',
    ...programKinds.map((kind) => `- \`${kind}\`: ${KINDS[kind]}.`),
    '',
    '## What they leave out',
    '',
    ...LEFT_OUT.map((line) => `- ${line}`),
    '',
    '## Differences',
    '',
    'On WebGPU NaN and infinities are looked at, and may differ: WGSL lets an implementation assume that there are none while a shader '
      + 'runs (section 15.7, differences from IEEE-754).',
    '',
    ...(result.failures.length === 0
      ? ['None.']
      : result.failures.map(({ engine, problem, paste }) => `- **${engine}**: ${problem}\n  \`${paste}\``)),
    '',
    '## Refused',
    '',
    'An `UnsupportedError` names the op and the remedy.',
    '',
    ...Object.entries(result.refusals).map(([reason, count]) => `- ${count} times ${reason}`),
    ...result.missing.map(({ name, reason }) => `- ${name}: not on this machine. ${reason}`),
    '',
    '## Ops',
    '',
    `How often each was used: ${uses.map(([op, count]) => `${op} ${count}`).join(', ')}.`,
    '',
  ].join('\n');
}

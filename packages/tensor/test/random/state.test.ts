import { describe, expect, it } from 'vitest';
import {
  counterGenerator,
  generatorFromState,
  philoxGenerator,
  torchGenerator,
  type CounterGenerator,
  type Generator,
} from '../../src/random/index.ts';

const RANGE = { low: 0, high: 1000 };
const makers: readonly (readonly [string, () => Generator])[] = [
  ['torch', () => torchGenerator(-5)],
  ['philox', () => philoxGenerator(2n ** 63n + 1n)],
  ['counter', () => counterGenerator({ seed: 2n ** 64n - 1n, stream: [0, 2 ** 40] })],
];

function drawEverything(generator: Generator): unknown {
  return [
    generator.normal(1),
    generator.uniform(5),
    generator.normal(19),
    generator.normal64(3),
    generator.integers(4, RANGE),
    generator.permutation(6),
    generator.uniform64(700),
    generator.normal(3),
    generator.normal64(21),
  ];
}

describe.each(makers)('state of the %s generator', (_name, make) => {
  // 3 normals leave a cached second one; 623..625 uniforms end around a block of MT19937.
  it.each([0, 1, 3, 16, 17, 623, 624, 625])('resumes bit for bit after %i draws, through JSON', (count) => {
    for (const draw of ['uniform', 'normal'] as const) {
      const generator = make();
      generator[draw](count);
      const text = JSON.stringify(generator.state());
      const copy = generatorFromState(JSON.parse(text));
      expect(copy.kind).toBe(generator.kind);
      expect(copy.state()).toEqual(generator.state());
      expect(drawEverything(copy)).toEqual(drawEverything(generator));
      expect(copy.state()).toEqual(generator.state());
    }
  });

  it('is a snapshot: neither generator moves the other or the state', () => {
    const generator = make();
    const state = generator.state();
    const text = JSON.stringify(state);
    const expected = drawEverything(generatorFromState(state));
    generator.uniform(1000);
    expect(JSON.stringify(state)).toBe(text);
    expect(drawEverything(generatorFromState(state))).toEqual(expected);
  });
});

it('the cached normal of the scalar path is part of the state', () => {
  const generator = torchGenerator(0);
  generator.normal(3);
  const copy = generatorFromState(JSON.parse(JSON.stringify(generator.state())));
  copy.normal(16);
  const expected = torchGenerator(0).normal(4)[3];
  expect(copy.normal(1)[0]).toBe(expected);
  expect(generator.normal(1)[0]).toBe(expected);
});

describe('addresses of the counter generator', () => {
  const make = () => counterGenerator({ seed: 5, stream: [8] });

  it.each(['uniform', 'uniform64', 'normal', 'normal64'] as const)('%s: element i is the same however it is reached', (draw) => {
    const all = make()[draw](50);
    for (const start of [0, 1, 2, 3, 4, 5, 17]) {
      for (const count of [1, 2, 3, 9]) expect(make().at(start)[draw](count)).toEqual(all.slice(start, start + count));
    }
    const split = make();
    expect([...split[draw](3), ...split[draw](5), ...split[draw](42)]).toEqual([...all]);
    expect(split.position).toBe(50);
  });

  it('integers too, also far out', () => {
    const far = 2 ** 40 + 1;
    expect(make().at(far).integers(7, RANGE).slice(2)).toEqual(
      make()
        .at(far + 2)
        .integers(5, RANGE),
    );
    expect(
      make()
        .at(2 ** 52)
        .normal(4),
    ).not.toEqual(make().normal(4));
  });

  it('at leaves the generator where it is', () => {
    const generator = make();
    generator.at(9).normal(3);
    expect(generator.position).toBe(0);
  });

  it('sorts of number share no words, and close streams differ', () => {
    expect(make().uniform64(1)[0]).not.toBe(make().uniform(1)[0]);
    const firsts = [[], [0], [0, 0], [5], [5, 1], [5 + 2 ** 32]].map((stream) => counterGenerator({ seed: 5, stream }).uniform64(1)[0]);
    expect(new Set(firsts).size).toBe(firsts.length);
  });
});

it.each([0, 1, 2, 3])('normals that fill given memory are those of a call, %i elements into a counter', (skipped) => {
  for (const count of [0, 1, 2, 3, 4, 5, 8, 70]) {
    const [a, b] = [0, 0].map(() => counterGenerator({ seed: 4, stream: [1] }).at(skipped)) as [CounterGenerator, CounterGenerator];
    const out = new Float32Array(count);
    a.fillNormal(out);
    expect(out).toEqual(b.normal(count));
    expect(out).toEqual(
      counterGenerator({ seed: 4, stream: [1] })
        .normal(skipped + count)
        .subarray(skipped),
    );
    expect(a.state()).toEqual(b.state());
  }
});

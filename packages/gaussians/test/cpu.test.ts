import type { Camera } from '@langevin/core';
import {
  cpuRasterizer,
  referenceRasterizer,
  type Gaussians,
  type Rasterizer,
  type RenderGradients,
  type Rendering,
} from '@langevin/gaussians';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { compareForward, compareGradients, GRADIENTS, inBothPrecisions, randomScene } from '../src/testing/index.ts';

const cpu = cpuRasterizer({ threads: 1 });
const [two, three] = [cpuRasterizer({ threads: 2 }), cpuRasterizer({ threads: 3 })];
afterAll(async () => {
  await Promise.all([cpu.dispose(), two.dispose(), three.dispose()]);
});

const scene = (options: Parameters<typeof randomScene>[0]): { gaussians: Gaussians; camera: Camera } => {
  const { gaussians, camera } = randomScene(options);
  return { gaussians: inBothPrecisions(gaussians).single, camera };
};

/** Cotangents without pattern. */
const wave = (array: Float32Array): Float32Array => array.map((_, i) => Math.sin(1.7 * i));

function expectSameBits(a: Rendering, b: Rendering): void {
  expect(Buffer.from(a.color.buffer).equals(Buffer.from(b.color.buffer)), 'color').toBe(true);
  expect(Buffer.from(a.alpha.buffer).equals(Buffer.from(b.alpha.buffer)), 'alpha').toBe(true);
  expect(a.radii).toEqual(b.radii);
}

function expectSameGradients(a: RenderGradients, b: RenderGradients): void {
  for (const name of GRADIENTS) {
    if (a[name] === undefined) expect(b[name]).toBeUndefined();
    else expect(Buffer.from(a[name].buffer).equals(Buffer.from(b[name]!.buffer)), name).toBe(true);
  }
}

describe('beside the reference', () => {
  test('200 random scenes agree to 1e-5 away from cut-offs', async () => {
    const { pixels, skipped, color, alpha, depth } = await compareForward(cpu, { scenes: 200 });
    expect(color).toBeLessThan(1e-5);
    expect(alpha).toBeLessThan(1e-5);
    expect(depth).toBeLessThan(1e-5);
    expect(skipped).toBeLessThan(0.05 * (pixels + skipped));
  });

  test('gradients of 60 random scenes agree in every input', async () => {
    const errors = await compareGradients(cpu, { scenes: 60 });
    for (const name of GRADIENTS) expect(errors[name], name).toBeLessThan(2e-4);
  });
});

describe('threads', () => {
  test.for([2, 3])('%i give the bits of one', async (count) => {
    const many = count === 2 ? two : three;
    for (const seed of [1, 2]) {
      const { gaussians, camera } = scene({ seed, count: 300, size: 150 });
      const options = {
        background: [0.1, 0.2, 0.3],
        ...(seed === 2 && { depth: 'accumulated' as const, features: wave(new Float32Array(600)) }),
      };
      const [one, other] = [await cpu.render(gaussians, camera, options), await many.render(gaussians, camera, options)];
      expectSameBits(one, other);
      const v = { color: wave(one.color), alpha: wave(one.alpha) };
      expectSameGradients(await cpu.backward(one, v), await many.backward(other, v));
    }
  });

  test('a number of threads that nobody has is refused', () => {
    expect(() => cpuRasterizer({ threads: 0 })).toThrow(
      '[gaussians/cpu] number of threads is out of range: threads=0. Pass an integer from 1 to 64.',
    );
  });
});

describe('renderings', () => {
  test('may be differentiated in any order, others in between', async () => {
    const [a, b] = [scene({ seed: 5, count: 40, size: 40 }), scene({ seed: 6, count: 90, size: 70 })];
    const alone = async ({ gaussians, camera }: typeof a): Promise<RenderGradients> => {
      const drawn = await cpu.render(gaussians, camera);
      return cpu.backward(drawn, { color: wave(drawn.color) });
    };
    const expected = [await alone(a), await alone(b)] as const;
    // Asked for at once: one waits for the other.
    const [drawnA, drawnB] = await Promise.all([cpu.render(a.gaussians, a.camera), cpu.render(b.gaussians, b.camera)]);
    expectSameGradients(await cpu.backward(drawnA, { color: wave(drawnA.color) }), expected[0]);
    expectSameGradients(await cpu.backward(drawnB, { color: wave(drawnB.color) }), expected[1]);
  });

  test('are differentiated once, by the rasterizer that made them', async () => {
    const { gaussians, camera } = scene({ seed: 7, count: 4 });
    const drawn = await cpu.render(gaussians, camera);
    await expect(two.backward(drawn, {})).rejects.toThrow('no backward pass');
    await cpu.backward(drawn, {});
    await expect(cpu.backward(drawn, {})).rejects.toThrow(
      '[gaussians/cpu] no backward pass for this rendering: it is of another rasterizer, or was used already. Render again.',
    );
  });

  test('write over results that are not read any more, with the same bits, and take new arrays where sizes differ', async () => {
    const [a, b, smaller] = [
      scene({ seed: 11, count: 50, size: 40 }),
      scene({ seed: 12, count: 50, size: 40 }),
      scene({ seed: 13, count: 20, size: 30 }),
    ];
    for (const rasterizer of [cpu, two]) {
      const full = async (
        { gaussians, camera }: typeof a,
        rendering?: Rendering,
        gradients?: RenderGradients,
      ): Promise<{ readonly rendering: Rendering; readonly gradients: RenderGradients }> => {
        const drawn = await rasterizer.render(gaussians, camera, { depth: 'expected', reuse: rendering });
        const { color, alpha, depth } = drawn;
        return {
          rendering: drawn,
          gradients: await rasterizer.backward(
            drawn,
            { color: wave(color), alpha: wave(alpha), depth: wave(depth!) },
            { reuse: gradients },
          ),
        };
      };
      const expected = await full(b);
      const first = await full(a);
      const second = await full(b, first.rendering, first.gradients);
      expectSameBits(second.rendering, expected.rendering);
      expectSameGradients(second.gradients, expected.gradients);
      for (const name of ['color', 'alpha', 'depth', 'radii'] as const) expect(second.rendering[name], name).toBe(first.rendering[name]);
      for (const name of ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh', 'means2d', 'absoluteMeans2d'] as const)
        expect(second.gradients[name], name).toBe(first.gradients[name]);
      const third = await full(smaller, second.rendering, second.gradients);
      const alone = await full(smaller);
      expectSameBits(third.rendering, alone.rendering);
      expectSameGradients(third.gradients, alone.gradients);
      expect(third.rendering.color).not.toBe(second.rendering.color);
    }
  });

  test('that were written over have no backward pass, and gradients of a training step are not written over', async () => {
    const { gaussians, camera } = scene({ seed: 14, count: 30, size: 40 });
    const old = await cpu.render(gaussians, camera);
    const drawn = await cpu.render(gaussians, camera, { reuse: old });
    await expect(cpu.backward(old, { color: wave(old.color) })).rejects.toThrow('no backward pass');
    const expected = await cpu.backward(drawn, { color: wave(drawn.color) });
    const step = await cpu.photometric!({ gaussians, camera, target: wave(drawn.color), dssim: 0.2 });
    const led = await cpu.backward(await cpu.render(gaussians, camera), { color: wave(drawn.color) }, { reuse: step.gradients });
    expect(led.means).not.toBe(step.gradients.means);
    expectSameGradients(led, expected);
  });

  test('need what fits', async () => {
    const { gaussians, camera } = scene({ seed: 7, count: 4 });
    await expect(cpu.render({ ...gaussians, count: 5 }, camera)).rejects.toThrow(UserError);
    await expect(cpu.render(gaussians, { ...camera, fx: NaN })).rejects.toThrow('fx=NaN');
    await expect(cpu.render(gaussians, camera, { cutoff: 'smooth' })).rejects.toThrow(UnsupportedError);
  });

  test('are not made after the end', async () => {
    const { gaussians, camera } = scene({ seed: 7, count: 4 });
    const shortlived = cpuRasterizer({ threads: 2 });
    await shortlived.render(gaussians, camera);
    await shortlived.dispose();
    await expect(shortlived.render(gaussians, camera)).rejects.toThrow('disposed');
  });
});

describe('edges', () => {
  const background = [0.25, 0.5, 0.75];

  test('nothing, and nothing in sight, is the background', async () => {
    const none = scene({ seed: 1, count: 0, size: 20 });
    const { gaussians, camera } = scene({ seed: 1, count: 5, size: 20 });
    const behind = { ...gaussians, means: gaussians.means.map((value, i) => (i % 3 === 2 ? value - 50 : value)) };
    for (const set of [none.gaussians, behind]) {
      const drawn = await cpu.render(set, camera, { background });
      expect([...drawn.color.subarray(0, 6)]).toEqual([...background, ...background]);
      expect(drawn.alpha.every((value) => value === 0)).toBe(true);
      const v = new Float32Array(drawn.color.length).fill(1);
      const gradients = await cpu.backward(drawn, { color: v });
      expect([...gradients.background]).toEqual([300, 300, 300]);
      expect(gradients.means.every((value) => value === 0)).toBe(true);
    }
  });

  test('one pixel is a picture', async () => {
    const { gaussians, camera } = scene({ seed: 3, count: 6, size: 1 });
    const drawn = await cpu.render(gaussians, camera);
    expect(drawn.color).toHaveLength(3);
    expect((await cpu.backward(drawn, { alpha: Float32Array.of(1) })).means.every(Number.isFinite)).toBe(true);
  });

  test('Gaussians with a number that is not finite are not drawn, and the others are', async () => {
    const { gaussians, camera } = scene({ seed: 4, count: 12, size: 24 });
    const spoil = (name: 'means' | 'quaternions' | 'logScales' | 'opacityLogits' | 'sh', value: number): Gaussians => ({
      ...gaussians,
      [name]: gaussians[name].map((old, i) => (i < gaussians[name].length / 12 ? value : old)),
    });
    const without = await cpu.render(
      { ...gaussians, opacityLogits: gaussians.opacityLogits.map((value, i) => (i === 0 ? -20 : value)) },
      camera,
    );
    for (const [name, value] of [
      ['means', NaN],
      ['quaternions', NaN],
      ['quaternions', 0],
      ['logScales', NaN],
      ['logScales', Infinity],
      ['opacityLogits', NaN],
      ['sh', Infinity],
    ] as const) {
      const drawn = await cpu.render(spoil(name, value), camera);
      expectSameBits(drawn, without);
      const gradients = await cpu.backward(drawn, { color: wave(drawn.color) });
      for (const key of GRADIENTS) expect(gradients[key]?.every(Number.isFinite) ?? true, `${name}=${value}: ${key}`).toBe(true);
    }
  });

  test('enormous and needle-thin Gaussians are drawn like those of the reference', async () => {
    const { gaussians, camera } = randomScene({ seed: 8, count: 3, size: 40, opacities: [0.3, 0.6] });
    const { single, double } = inBothPrecisions({ ...gaussians, logScales: Float64Array.from([3, 3, 3, 1, -7, -7, -7, -7, -7]) });
    const [drawn, truth] = [await cpu.render(single, camera), await referenceRasterizer().render(double, camera)];
    const worst = truth.color.reduce((most, value, i) => Math.max(most, Math.abs(value - drawn.color[i]!)), 0);
    expect(worst).toBeLessThan(1e-4);
    expect(Math.max(...truth.alpha)).toBeGreaterThan(0.3);
  });
});

test('an opaque crowd stops pixels, and what lies behind has neither light nor gradient', async () => {
  const count = 60;
  const { gaussians, camera } = scene({ seed: 9, count, size: 32, degree: 0, opacities: [0.97, 0.99], scales: [3, 4] });
  const rasterizer: Rasterizer = two;
  const drawn = await rasterizer.render(gaussians, camera);
  expect(Math.min(...drawn.alpha)).toBeGreaterThan(0.99);
  const { sh } = await rasterizer.backward(drawn, { color: new Float32Array(drawn.color.length).fill(1) });
  const depth = (i: number): number =>
    camera.worldToCamera.slice(8, 11).reduce((sum, value, k) => sum + value * gaussians.means[3 * i + k]!, 0);
  const byDepth = [...Array(count).keys()].sort((a, b) => depth(a) - depth(b));
  expect(byDepth.slice(20).every((i) => sh[3 * i] === 0)).toBe(true);
  expect(sh[3 * byDepth[0]!]).not.toBe(0);
});

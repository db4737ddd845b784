import type { Camera } from '@langevin/core';
import {
  concatGaussians,
  cpuRasterizer,
  createRasterizer,
  referenceRasterizer,
  transformGaussians,
  webgpuRasterizer,
  type Gaussians,
  type GpuDevice,
  type PhotometricRequest,
  type RenderGradients,
  type Rendering,
  type RenderOptions,
} from '@langevin/gaussians';
import { counterGenerator, UnsupportedError, UserError } from '@langevin/tensor';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi, type TestContext } from 'vitest';
import { compareForward, compareGradients, GRADIENTS, inBothPrecisions, randomScene } from '../src/testing/index.ts';
import { remoteWebgpu, type RemoteRasterizer } from './webgpu/remote.ts';

let found: Awaited<ReturnType<typeof remoteWebgpu>>;
const cpu = cpuRasterizer({ threads: 1 });

beforeAll(async () => {
  found = await remoteWebgpu();
}, 180_000);
afterAll(async () => {
  await cpu.dispose();
  if ('end' in found) await found.end();
});

/** The rasterizer, where the machine has one. */
function webgpu(context: TestContext): RemoteRasterizer {
  if ('reason' in found) return context.skip(`skipped: ${found.reason}`);
  return found;
}

const scene = (options: Parameters<typeof randomScene>[0]): { gaussians: Gaussians; camera: Camera } => {
  const { gaussians, camera } = randomScene(options);
  return { gaussians: inBothPrecisions(gaussians).single, camera };
};

/** Cotangents without pattern. */
const wave = (array: Float32Array): Float32Array => array.map((_, i) => Math.sin(1.7 * i));

const cotangentsOf = ({ color, alpha, depth }: Rendering) => ({
  color: wave(color),
  alpha: wave(alpha),
  ...(depth && { depth: wave(depth) }),
});

const difference = (a: Float32Array, b: Float32Array): number => {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0) / largest;
};

/** The share of numbers that differ by more than `bound` of the largest: where rounding turns a decision they may. */
const shareOff = (a: Float32Array, b: Float32Array, bound: number): number => {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  return b.reduce((count, value, i) => count + (Math.abs(value - a[i]!) > bound * largest ? 1 : 0), 0) / b.length;
};

function expectSameBits(a: Rendering | RenderGradients, b: Rendering | RenderGradients): void {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  for (const [name, value] of Object.entries(a)) {
    if (!(value instanceof Float32Array)) continue;
    const other = (b as unknown as Record<string, Float32Array>)[name]!;
    expect(
      Buffer.from(value.buffer, value.byteOffset, value.byteLength).equals(Buffer.from(other.buffer, other.byteOffset, other.byteLength)),
      name,
    ).toBe(true);
  }
}

describe('beside the reference', () => {
  test('40 random scenes agree to 1e-5 away from cut-offs', { timeout: 180_000 }, async (context) => {
    const { pixels, skipped, color, alpha, depth } = await compareForward(webgpu(context), { scenes: 40 });
    expect(color).toBeLessThan(1e-5);
    expect(alpha).toBeLessThan(1e-5);
    // Depths are about three, and sums of rounded depths are as far off as those are.
    expect(depth).toBeLessThan(2e-5);
    expect(skipped).toBeLessThan(0.05 * (pixels + skipped));
  });

  test('gradients of 24 random scenes agree in every input', { timeout: 180_000 }, async (context) => {
    const errors = await compareGradients(webgpu(context), { scenes: 24 });
    for (const name of GRADIENTS) expect(errors[name], name).toBeLessThan(2e-4);
  });

  test.for(['pinhole', 'orthographic'] as const)('a smooth cut-off through %s, its gradients too', async (kind, context) => {
    const rasterizer = webgpu(context);
    const reference = referenceRasterizer();
    for (const [seed, opacities] of [
      [21, [0.004, 0.7]],
      [22, [0.9, 0.999]],
    ] as const) {
      const { gaussians, camera } = randomScene({ seed, count: 24, size: 30, kind, opacities });
      const { single, double } = inBothPrecisions(gaussians);
      const options = { cutoff: 'smooth', background: [0.2, 0.4, 0.6], depth: 'accumulated' } as const;
      const [drawn, truth] = [await rasterizer.render(single, camera, options), await reference.render(double, camera, options)];
      for (const name of ['color', 'alpha', 'depth'] as const)
        expect(difference(drawn[name]!, Float32Array.from(truth[name]!)), name).toBeLessThan(1e-5);
      const v = cotangentsOf(drawn);
      const [fast, slow] = [
        await rasterizer.backward(drawn, v),
        await reference.backward(truth, {
          color: Float64Array.from(v.color),
          alpha: Float64Array.from(v.alpha),
          depth: Float64Array.from(v.depth!),
        }),
      ];
      for (const name of GRADIENTS)
        if (slow[name] !== undefined) expect(difference(fast[name]!, Float32Array.from(slow[name])), name).toBeLessThan(2e-4);
    }
  });
});

describe('beside the CPU kernels', () => {
  const cases: readonly {
    readonly name: string;
    readonly zoom?: number;
    readonly make: Parameters<typeof randomScene>[0];
    readonly options: (count: number) => RenderOptions;
  }[] = [
    // Nine groups of sorting, which are scanned eight at a time; and more pairs than there is room for at first, though most are beside the
    // picture.
    {
      name: 'a crowd of small ones',
      zoom: 2.5,
      make: { seed: 31, count: 34_000, size: 40, degree: 0, scales: [0.002, 0.02], opacities: [0.1, 0.5] },
      options: () => ({ background: [1, 0.5, 0] }),
    },
    {
      name: 'mip, expected depth, and features for three groups',
      make: { seed: 32, count: 300, size: 90, scales: [0.01, 0.3] },
      options: (count) => ({ antialiasing: 'mip', depth: 'expected', features: wave(new Float32Array(9 * count)), degree: 2 }),
    },
    {
      name: 'parallel rays, colours, a background for features',
      make: { seed: 33, count: 200, size: 70, kind: 'orthographic' },
      options: (count) => ({
        depth: 'accumulated',
        colors: wave(new Float32Array(3 * count)),
        features: wave(new Float32Array(2 * count)),
        background: [0.1, 0.2, 0.3, 0.4, 0.5],
      }),
    },
  ];
  test.for(cases)(
    '$name: the same picture and gradients',
    { timeout: 180_000 },
    async ({ make, zoom = 1, options: optionsFor }, context) => {
      const rasterizer = webgpu(context);
      const { gaussians, camera: wide } = scene(make);
      const camera = { ...wide, fx: zoom * wide.fx, fy: zoom * wide.fy };
      const options = optionsFor(gaussians.count);
      const [drawn, other] = [await rasterizer.render(gaussians, camera, options), await cpu.render(gaussians, camera, options)];
      for (const name of ['color', 'alpha', 'depth'] as const)
        if (other[name] !== undefined) expect(shareOff(drawn[name]!, other[name], 1e-4), name).toBeLessThan(1e-3);
      expect(shareOff(drawn.radii, other.radii, 0)).toBeLessThan(1e-3);
      const v = cotangentsOf(other);
      const [fast, slow] = [await rasterizer.backward(drawn, v), await cpu.backward(other, v)];
      for (const name of GRADIENTS) {
        expect(fast[name]?.length, name).toBe(slow[name]?.length);
        if (slow[name] !== undefined) expect(shareOff(fast[name]!, slow[name], 1e-3), name).toBeLessThan(2e-3);
      }
    },
  );
});

test('more Gaussians than one round of counting takes: the same picture', { timeout: 300_000 }, async (context) => {
  const rasterizer = webgpu(context);
  // 257 blocks of counting, which are summed 256 at a time; the last block holds the farthest: a few large ones behind a haze that lets
  // them through.
  const { gaussians: haze, camera: wide } = scene({
    seed: 34,
    count: 524_288,
    size: 64,
    degree: 0,
    scales: [0.0005, 0.002],
    opacities: [0.0045, 0.006],
  });
  const { gaussians: few } = scene({ seed: 35, count: 40, size: 64, degree: 0, scales: [0.02, 0.1], opacities: [0.7, 0.95] });
  const forward = wide.worldToCamera.slice(8, 11) as [number, number, number];
  const behind = transformGaussians(few, { scale: 8, translation: forward.map((value) => 20 * value) as [number, number, number] });
  const gaussians = concatGaussians([behind, haze]);
  const camera = { ...wide, fx: 0.5 * wide.fx, fy: 0.5 * wide.fy };
  const [drawn, other, without] = [
    await rasterizer.render(gaussians, camera),
    await cpu.render(gaussians, camera),
    await cpu.render(haze, camera),
  ];
  // What cannot be seen is not counted.
  expect(drawn.radii.filter((radius) => radius > 0).length).toBeGreaterThan(524_288);
  expect(shareOff(drawn.color, other.color, 1e-3)).toBeLessThan(1e-3);
  expect(difference(other.color, without.color)).toBeGreaterThan(0.1);
});

describe('renderings', () => {
  test('have the same bits each time, in any order, others in between', async (context) => {
    const rasterizer = webgpu(context);
    const [a, b] = [scene({ seed: 5, count: 400, size: 80 }), scene({ seed: 6, count: 90, size: 50 })];
    const drawn = await rasterizer.render(a.gaussians, a.camera, { depth: 'expected' });
    const gradients = await rasterizer.backward(drawn, cotangentsOf(drawn));
    const [againA, againB] = await Promise.all([
      rasterizer.render(a.gaussians, a.camera, { depth: 'expected' }),
      rasterizer.render(b.gaussians, b.camera),
    ]);
    expectSameBits(againA, drawn);
    // The other one was drawn since: this one is drawn again for its backward pass.
    expectSameBits(await rasterizer.backward(againA, cotangentsOf(drawn)), gradients);
    expect((await rasterizer.backward(againB, cotangentsOf(againB))).means.some((value) => value !== 0)).toBe(true);
  });

  test('are differentiated once, by the rasterizer that made them', async (context) => {
    const rasterizer = webgpu(context);
    const { gaussians, camera } = scene({ seed: 7, count: 4 });
    const drawn = await rasterizer.render(gaussians, camera);
    await rasterizer.backward(drawn, {});
    await expect(rasterizer.backward(drawn, {})).rejects.toThrow(
      '[gaussians/webgpu] no backward pass for this rendering: it is of another rasterizer, or was used already. Render again.',
    );
    await expect(rasterizer.backward(await cpu.render(gaussians, camera), {})).rejects.toThrow(UserError);
  });

  test('need what fits', async (context) => {
    const rasterizer = webgpu(context);
    const { gaussians, camera } = scene({ seed: 7, count: 4 });
    await expect(rasterizer.render({ ...gaussians, count: 5 }, camera)).rejects.toThrow(UserError);
    await expect(rasterizer.render(gaussians, { ...camera, width: 16_384, height: 16_384 })).rejects.toThrow(
      /\[gaussians\/webgpu\] does not fit into a buffer of this device: picture=\d+ bytes, at most \d+\. Draw a smaller picture/,
    );
    // What was refused does no harm to what follows.
    expect((await rasterizer.render(gaussians, camera)).alpha.some((value) => value > 0)).toBe(true);
  });
});

describe('the loss on the device', () => {
  const request = (
    size: { readonly width: number; readonly height: number },
    more: Partial<PhotometricRequest> = {},
  ): PhotometricRequest => {
    const { gaussians, camera } = scene({ seed: size.width, count: 40, size: 64 });
    const scale = Math.max(size.width, size.height) / 64;
    const target = counterGenerator({ seed: 3, stream: [size.height] }).uniform(3 * size.width * size.height);
    return {
      gaussians,
      camera: { ...camera, ...size, fx: camera.fx * scale, fy: camera.fy * scale, cx: size.width / 2, cy: size.height / 2 },
      options: { background: [0.2, 0.4, 0.6] },
      target,
      dssim: 0.3,
      absolute: true,
      ...more,
    };
  };
  const cases: readonly { readonly name: string; readonly given: PhotometricRequest }[] = [
    { name: 'one pixel', given: request({ width: 1, height: 1 }) },
    { name: 'less than a window, of nothing but SSIM', given: request({ width: 7, height: 9 }, { dssim: 1 }) },
    { name: 'several groups, of nothing but differences', given: request({ width: 131, height: 37 }, { dssim: 0 }) },
    {
      name: 'a mask, without absolute gradients',
      given: request(
        { width: 49, height: 41 },
        { mask: Uint8Array.from({ length: 49 * 41 }, (_, i) => [255, 0, 128][i % 3]!), absolute: false },
      ),
    },
    {
      name: 'depth',
      given: request(
        { width: 50, height: 40 },
        { depth: { target: Float32Array.from({ length: 2000 }, (_, i) => [0, 3, 5][i % 3]!), weight: 0.5 } },
      ),
    },
  ];
  test.for(cases)('is that of the CPU kernels: $name', async ({ given }, context) => {
    const [found, expected] = [await webgpu(context).photometric(given), await cpu.photometric!(given)];
    for (const name of ['loss', 'l1', 'mse', 'ssim'] as const) expect(Math.abs(found[name] - expected[name]), name).toBeLessThan(2e-6);
    expect(found.radii).toEqual(expected.radii);
    for (const name of GRADIENTS) {
      expect(found.gradients[name]?.length, name).toBe(expected.gradients[name]?.length);
      if (expected.gradients[name] !== undefined)
        expect(difference(found.gradients[name]!, expected.gradients[name]), name).toBeLessThan(2e-4);
    }
  });

  test('has the same bits each time, and leaves a rendering that waits for its backward pass alone', async (context) => {
    const rasterizer = webgpu(context);
    const given = request({ width: 90, height: 60 });
    const drawn = await rasterizer.render(given.gaussians, given.camera);
    const gradients = await rasterizer.backward(await rasterizer.render(given.gaussians, given.camera), cotangentsOf(drawn));
    const [first, second] = [await rasterizer.photometric(given), await rasterizer.photometric(given)];
    expect([second.loss, second.ssim]).toEqual([first.loss, first.ssim]);
    expectSameBits(second.gradients, first.gradients);
    expectSameBits(await rasterizer.backward(drawn, cotangentsOf(drawn)), gradients);
  });

  test('needs pictures of one size', async (context) => {
    const given = request({ width: 20, height: 20 });
    await expect(webgpu(context).photometric({ ...given, target: new Float32Array(12) })).rejects.toThrow(
      "[gaussians/webgpu] what is compared is not of the picture's size: target.length=12, expected 1200. Resize it.",
    );
  });
});

describe('edges', () => {
  const background = [0.25, 0.5, 0.75];

  test('nothing, and nothing in sight, is the background', async (context) => {
    const rasterizer = webgpu(context);
    const none = scene({ seed: 1, count: 0, size: 20 });
    const { gaussians, camera } = scene({ seed: 1, count: 5, size: 20 });
    const behind = { ...gaussians, means: gaussians.means.map((value, i) => (i % 3 === 2 ? value - 50 : value)) };
    for (const set of [none.gaussians, behind]) {
      const drawn = await rasterizer.render(set, camera, { background });
      expect([...drawn.color.subarray(0, 6)]).toEqual([...background, ...background]);
      expect(drawn.alpha.every((value) => value === 0)).toBe(true);
      const gradients = await rasterizer.backward(drawn, { color: new Float32Array(drawn.color.length).fill(1) });
      expect([...gradients.background]).toEqual([300, 300, 300]);
      expect(gradients.means).toHaveLength(3 * set.count);
      expect(gradients.means.every((value) => value === 0)).toBe(true);
    }
  });

  test('one pixel is a picture', async (context) => {
    const rasterizer = webgpu(context);
    const { gaussians, camera } = scene({ seed: 3, count: 6, size: 1 });
    const drawn = await rasterizer.render(gaussians, camera);
    expect(drawn.color).toHaveLength(3);
    expect((await rasterizer.backward(drawn, { alpha: Float32Array.of(1) })).means.every(Number.isFinite)).toBe(true);
  });

  test('Gaussians with a number that is not finite are not drawn, and the others are', async (context) => {
    const rasterizer = webgpu(context);
    const { gaussians, camera } = scene({ seed: 4, count: 12, size: 24 });
    const spoil = (name: 'means' | 'quaternions' | 'logScales' | 'opacityLogits' | 'sh', value: number): Gaussians => ({
      ...gaussians,
      [name]: gaussians[name].map((old, i) => (i < gaussians[name].length / 12 ? value : old)),
    });
    const without = await rasterizer.render(
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
      const drawn = await rasterizer.render(spoil(name, value), camera);
      expectSameBits(drawn, without);
      const gradients = await rasterizer.backward(drawn, { color: wave(drawn.color) });
      for (const key of GRADIENTS) expect(gradients[key]?.every(Number.isFinite) ?? true, `${name}=${value}: ${key}`).toBe(true);
    }
  });

  test('enormous and needle-thin Gaussians are drawn like those of the reference', async (context) => {
    const { gaussians, camera } = randomScene({ seed: 8, count: 3, size: 40, opacities: [0.3, 0.6] });
    const { single, double } = inBothPrecisions({ ...gaussians, logScales: Float64Array.from([3, 3, 3, 1, -7, -7, -7, -7, -7]) });
    const [drawn, truth] = [await webgpu(context).render(single, camera), await referenceRasterizer().render(double, camera)];
    expect(difference(drawn.color, Float32Array.from(truth.color))).toBeLessThan(1e-3);
    expect(Math.max(...truth.alpha)).toBeGreaterThan(0.3);
  });
});

// The last one: it ends the rasterizer.
test('after the loss of the device, and after the end, nothing is drawn; the process has nothing left to do', async (context) => {
  const rasterizer = webgpu(context);
  const { gaussians, camera } = scene({ seed: 7, count: 4 });
  await rasterizer.lose();
  await expect(rasterizer.render(gaussians, camera)).rejects.toThrow(
    /\[gaussians\/webgpu\] the device was lost: reason=destroyed.*Make another rasterizer, or use cpuRasterizer\(\)\./,
  );
  await rasterizer.dispose();
  await expect(rasterizer.render(gaussians, camera)).rejects.toThrow(
    '[gaussians/webgpu] the rasterizer was disposed of: disposed=true. Make another.',
  );
  expect(await rasterizer.end()).toBe(0);
});

describe('without a GPU', () => {
  afterEach(() => vi.unstubAllGlobals());
  const withAdapter = (adapter: object | null): void => void vi.stubGlobal('navigator', { gpu: { requestAdapter: async () => adapter } });

  test('no adapter, a software adapter that is not wanted, and a refused device are unsupported, with the remedy', async () => {
    withAdapter(null);
    await expect(webgpuRasterizer()).rejects.toThrow(
      new UnsupportedError(
        '[gaussians/webgpu] no adapter here: requestAdapter()=null. Install a driver for Vulkan, Metal or Direct3D 12. Or use '
          + 'cpuRasterizer().',
      ),
    );
    const info = { vendor: 'google', architecture: 'swiftshader', description: '', isFallbackAdapter: true };
    withAdapter({ info, limits: {}, requestDevice: () => Promise.reject(new Error('out of luck')) });
    await expect(webgpuRasterizer({ software: 'refuse' })).rejects.toThrow(UnsupportedError);
    await expect(webgpuRasterizer()).rejects.toThrow(
      '[gaussians/webgpu] the adapter gives no device: adapter=google swiftshader, out of luck. Check the graphics driver. Or use '
        + 'cpuRasterizer().',
    );
  });

  test('createRasterizer draws on the CPU instead, and says why', async () => {
    withAdapter({ info: { vendor: 'mesa', architecture: 'llvmpipe', description: '' }, limits: {} });
    const { rasterizer, reasons } = await createRasterizer({ threads: 1 });
    expect(rasterizer.kind).toBe('cpu');
    expect(reasons).toEqual([expect.stringContaining('adapter=mesa llvmpipe')]);
    await rasterizer.dispose();
  });

  test('a device below the default limits, and options that nobody knows, are refused', async () => {
    const device = {
      limits: { maxStorageBuffersPerShaderStage: 4, maxComputeWorkgroupStorageSize: 16_384, maxComputeInvocationsPerWorkgroup: 256 },
    } as unknown as GpuDevice;
    await expect(webgpuRasterizer({ device })).rejects.toThrow('maxStorageBuffersPerShaderStage=4, needed 8');
    await expect(webgpuRasterizer({ software: 'perhaps' as never })).rejects.toThrow(
      '[gaussians/webgpu] unknown option: software=perhaps. Known: accept, refuse.',
    );
  });
});

import { type Camera, cameraPosition, checkCamera, lookAt } from '@langevin/core';
import { describe, expect, test } from 'vitest';

const lens = { width: 64, height: 48, fx: 50, fy: 50, cx: 32, cy: 24 } as const;

function toCamera({ worldToCamera: w }: Camera, p: readonly number[]): number[] {
  return [0, 4, 8].map((row) => w[row]! * p[0]! + w[row + 1]! * p[1]! + w[row + 2]! * p[2]! + w[row + 3]!);
}

describe('a camera', () => {
  const camera = lookAt({ ...lens, eye: [1, 2, 3], target: [-2, 0.5, 7] });

  test('sees its target straight ahead, and itself at the origin', () => {
    const [x, y, z] = toCamera(camera, [-2, 0.5, 7]);
    expect(x).toBeCloseTo(0, 12);
    expect(y).toBeCloseTo(0, 12);
    expect(z).toBeCloseTo(Math.hypot(3, 1.5, 4), 12);
    toCamera(camera, [1, 2, 3]).forEach((value) => expect(value).toBeCloseTo(0, 12));
    cameraPosition(camera).forEach((value, i) => expect(value).toBeCloseTo([1, 2, 3][i]!, 12));
  });

  test('has axes of a right-handed frame, with up upwards in the picture', () => {
    const w = camera.worldToCamera;
    const rows = [0, 4, 8].map((row) => [w[row]!, w[row + 1]!, w[row + 2]!]);
    rows.forEach((a, i) =>
      rows.forEach((b, j) => expect(a.reduce((sum, value, k) => sum + value * b[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 12)),
    );
    const [a, b, c] = rows as [number[], number[], number[]];
    expect(
      a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) - a[1]! * (b[0]! * c[2]! - b[2]! * c[0]!) + a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!),
    ).toBeCloseTo(1, 12);
    expect(toCamera(camera, [1, 1, 3])[1]).toBeLessThan(0);
  });

  test('is refused with the value that is wrong', () => {
    expect(() => checkCamera('gaussians/test', { ...camera, width: 0 })).toThrow(
      '[gaussians/test] this is no camera: width=0. Pass an integer from 1 to 16384.',
    );
    expect(() => checkCamera('gaussians/test', { ...camera, fx: -1 })).toThrow('fx=-1');
    expect(() => checkCamera('gaussians/test', { ...camera, worldToCamera: [1, 2] })).toThrow('worldToCamera=[1, 2]');
    expect(() => lookAt({ ...lens, eye: [0, 0, 0], target: [0, -3, 0] })).toThrow('[core/camera] no direction');
  });
});

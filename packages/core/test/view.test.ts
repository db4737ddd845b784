import { checkViews, lookAt, type Renderer, type View } from '@langevin/core';
import { numbers, setDefaultEngine, tensor, zeros, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';

beforeAll(() => setDefaultEngine(referenceEngine()));

const camera = lookAt({ eye: [0, 0, -3], target: [0, 0, 0], width: 2, height: 1, fx: 8, fy: 8, cx: 1, cy: 0.5 });

describe('views', () => {
  it('are cameras of one size, with a time and a background in range', () => {
    const check = (views: unknown) => () => checkViews('mine/renderer', views);
    expect(check([{ camera }, { camera, time: 1, background: [-1, 0, 1] }])).not.toThrow();
    expect(check([])).toThrow('[mine/renderer] there is nothing to look at');
    expect(check(undefined)).toThrow('views=undefined');
    expect(check([null])).toThrow('views[0]=null');
    expect(check([{ camera: {} }])).toThrow('this is no camera: views[0].camera');
    expect(check([{ camera: { ...camera, width: 0 } }])).toThrow('width=0');
    expect(check([{ camera, time: 2 }])).toThrow('views[0].time=2');
    expect(check([{ camera, background: [0, 0] }])).toThrow('this is no colour');
    expect(check([{ camera, background: [0, 0, 255] }])).toThrow('views[0].background[2]=255');
    expect(check([{ camera }, { camera: { ...camera, width: 3 } }])).toThrow('one size: 2x1 and 3x1');
  });

  it('are drawn by any renderer, over parameters that need not be tensors', async () => {
    // A wall of one colour, whose only parameters are that colour's three numbers.
    const wall: Renderer<Float32Array> = {
      name: 'wall',
      render: async (params, views) => {
        checkViews('mine/wall', views);
        const pixels = camera.width * camera.height;
        const picture = Array.from({ length: 3 * pixels }, (_, i) => params[Math.floor(i / pixels)]!);
        return {
          color: tensor(
            views.flatMap(() => picture),
            { shape: [views.length, 3, camera.height, camera.width] },
          ),
          vjp: async ({ color = zeros([views.length, 3, camera.height, camera.width]) }) => {
            const gradient = new Float32Array(3);
            (await numbers(color)).forEach((value, i) => (gradient[Math.floor(i / pixels) % 3]! += value));
            return gradient;
          },
        };
      },
    };
    const views: readonly View[] = [{ camera }, { camera, time: 0.5 }];
    const { color, vjp } = await wall.render(Float32Array.of(-1, 0, 1), views);
    expectTypeOf(color).toEqualTypeOf<Tensor>();
    expect(color.shape).toEqual([2, 3, 1, 2]);
    expect(await vjp({ color: tensor(new Float32Array(12).fill(0.5), { shape: [2, 3, 1, 2] }) })).toEqual(Float32Array.of(2, 2, 2));
    await expect(wall.render(Float32Array.of(0, 0, 0), [])).rejects.toThrow('nothing to look at');
  });
});

import { mlpDeformation } from '@langevin/gaussians';
import type { Json, SplatAsset4d, SplatDeformation } from '@langevin/io/splats';
import { fromPatches, hue, spherePoints, type Patch, type Vector } from './builder.ts';

/**
 * Stalks with balls on top that sway, as an asset of the 4D container: its deformation is a network of one hidden layer whose weights are
 * set by hand, played back like one that was trained.
 */
export function swayingStalks(): SplatAsset4d {
  const cloud = fromPatches([...ground(), ...STALKS.flatMap(stalk)]);
  return { cloud, times: { start: 0, end: 4, loop: 'repeat' }, deformation: swaying() };
}

const FLOOR = 0.8;

const STALKS = Array.from({ length: 7 }, (_, i): { readonly foot: Vector; readonly height: number; readonly color: Vector } => {
  const turn = i / 7;
  const radius = i % 2 === 0 ? 0.75 : 0.4;
  return {
    foot: [radius * Math.cos(2 * Math.PI * turn), FLOOR, radius * Math.sin(2 * Math.PI * turn)],
    height: 1.05 + (0.35 * ((i * 3) % 4)) / 3,
    color: hue(turn + 0.02),
  };
});

function ground(): readonly Patch[] {
  const count = 900;
  const golden = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: count }, (_, i) => {
    const radius = 1.15 * Math.sqrt((i + 0.5) / count);
    return {
      at: [radius * Math.cos(golden * i), FLOOR, radius * Math.sin(golden * i)],
      normal: [0, -1, 0],
      color: i % 3 === 0 ? [0.5, 0.58, 0.42] : [0.42, 0.52, 0.38],
      size: 0.026,
    };
  });
}

function stalk({ foot, height, color }: (typeof STALKS)[number]): readonly Patch[] {
  const stem = Array.from({ length: 45 }, (_, i) => foot[1] - (height * (i + 0.5)) / 45).flatMap((y) =>
    Array.from({ length: 6 }, (_, j): Patch => {
      const normal: Vector = [Math.cos((Math.PI * j) / 3), 0, Math.sin((Math.PI * j) / 3)];
      return { at: [foot[0] + 0.028 * normal[0], y, foot[2] + 0.028 * normal[2]], normal, color: [0.52, 0.68, 0.42], size: 0.018 };
    }),
  );
  const top = foot[1] - height;
  const ball = spherePoints(260).map((normal): Patch => ({
    at: [foot[0] + 0.17 * normal[0], top + 0.17 * normal[1], foot[2] + 0.17 * normal[2]],
    normal,
    color,
    size: 0.019,
  }));
  return [...stem, ...ball];
}

/**
 * With h the height above the ground in radii and s = sin(2 pi t): relu(h + s) - relu(h) is nothing at the ground, where h is far below 0,
 * and s high above it. The same with the cosine moves everything across.
 */
function swaying(): SplatDeformation {
  const box = { center: [0, -0.15, 0], radius: 1 } as const;
  const { config, kind } = mlpDeformation({ box, positionFrequencies: 0, timeFrequencies: 2, width: 4, depth: 1, exponent: 0 });
  // Features: x, y, z, t, sin(pi t), cos(pi t), sin(2 pi t), cos(2 pi t). Height is -y.
  const [Y, SIN, COS] = [1, 6, 7];
  const inputs = 8;
  const first = new Float32Array(4 * inputs);
  const weight = (unit: number, feature: number, value: number): void => void (first[unit * inputs + feature] = value);
  for (let unit = 0; unit < 4; unit++) weight(unit, Y, -1);
  weight(0, SIN, 0.4);
  weight(2, COS, 0.3);
  const last = new Float32Array(3 * 4);
  last.set([0.8, -0.8, 0.15, -0.15], 0);
  last.set([0.1, -0.1, 0.6, -0.6], 8);
  return {
    kind,
    config: config as Readonly<Record<string, Json>>,
    tensors: {
      'net.0.weight': { dtype: 'float32', shape: [4, inputs], data: first },
      'net.0.bias': { dtype: 'float32', shape: [4], data: new Float32Array(4) },
      'net.2.weight': { dtype: 'float32', shape: [3, 4], data: last },
      'net.2.bias': { dtype: 'float32', shape: [3], data: new Float32Array(3) },
    },
  };
}

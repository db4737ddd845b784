import type { Image, Rgb } from '../../images/image.ts';

export const SHAPES = ['circle', 'square', 'triangle', 'star', 'ring', 'cross'] as const;
export type ShapeName = (typeof SHAPES)[number];

/** A shape on a picture, in shares of its side: x to the right, y down. */
export interface PlacedShape {
  readonly shape: ShapeName;
  readonly colour: Rgb;
  readonly x: number;
  readonly y: number;
  /** From its middle to its outermost points. */
  readonly radius: number;
  /** Clockwise, in degrees. */
  readonly rotation: number;
}

/** Samples of a pixel along each side: edges have 16 steps and one. */
const SAMPLES = 4;

/** Draw shapes on a plain picture, the later over the earlier, with smooth edges. */
export function drawShapes(
  shapes: readonly PlacedShape[],
  { size, background }: { readonly size: number; readonly background: Rgb },
): Image {
  const data = new Uint8Array(3 * size * size);
  for (let p = 0; p < data.length; p += 1) data[p] = background[p % 3]!;
  for (const placed of shapes) {
    const inside = insideOf(placed);
    const span = (middle: number): readonly [number, number] => [
      Math.max(0, Math.floor((middle - placed.radius) * size)),
      Math.min(size, Math.ceil((middle + placed.radius) * size)),
    ];
    const [[left, right], [top, bottom]] = [span(placed.x), span(placed.y)];
    for (let py = top; py < bottom; py += 1) {
      for (let px = left; px < right; px += 1) {
        let hits = 0;
        for (let s = 0; s < SAMPLES ** 2; s += 1) {
          const x = (px + ((s % SAMPLES) + 0.5) / SAMPLES) / size;
          const y = (py + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES) / size;
          if (inside(x, y)) hits += 1;
        }
        const share = hits / SAMPLES ** 2;
        const at = 3 * (py * size + px);
        for (let c = 0; c < 3; c += 1) data[at + c] = Math.round(share * placed.colour[c]! + (1 - share) * data[at + c]!);
      }
    }
  }
  return { width: size, height: size, channels: 3, data };
}

function insideOf({ shape, x: cx, y: cy, radius, rotation }: PlacedShape): (x: number, y: number) => boolean {
  const angle = (-rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const test = TESTS[shape];
  return (x, y) => {
    const [dx, dy] = [(x - cx) / radius, (y - cy) / radius];
    return test(cos * dx - sin * dy, sin * dx + cos * dy);
  };
}

/** Shapes of radius 1 around the origin, y down. */
const TESTS: Readonly<Record<ShapeName, (x: number, y: number) => boolean>> = {
  circle: (x, y) => x * x + y * y <= 1,
  ring: (x, y) => x * x + y * y <= 1 && x * x + y * y >= 0.55 ** 2,
  // Corners on the circle.
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) <= Math.SQRT1_2,
  triangle: (x, y) => y <= 0.5 && Math.sqrt(3) * Math.abs(x) <= y + 1,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.3 && Math.max(Math.abs(x), Math.abs(y)) <= 0.95,
  star: (x, y) => isInStar(x, y),
};

/** Five points on the circle, one at the top, with inner corners where lines from point to point cross. */
function isInStar(x: number, y: number): boolean {
  const inner = Math.cos((2 * Math.PI) / 5) / Math.cos(Math.PI / 5);
  const turn = Math.PI / 5;
  // Angle from the nearest point, 0 to 36 degrees: the edge goes from there to the inner corner.
  const fromTop = Math.atan2(x, -y);
  const angle = Math.abs(fromTop - 2 * turn * Math.round(fromTop / (2 * turn)));
  const radius = Math.hypot(x, y);
  const [ex, ey] = [inner * Math.cos(turn) - 1, inner * Math.sin(turn)];
  const [px, py] = [radius * Math.cos(angle) - 1, radius * Math.sin(angle)];
  return ex * py - ey * px >= 0;
}

import { type Camera, cameraPosition } from '@langevin/core';
import { checkNumber, didYouMean, median, UserError } from '@langevin/tensor';

/** Which views are held out: every n-th by name from the first, those named, or none. */
export type HoldOut = { readonly every: number } | { readonly names: readonly string[] } | 'none';

/**
 * Divide views into those that train and those that test, both by name.
 *
 * @param holdOut @default every 8th, as Mip-NeRF 360 and all who compare with it do
 * @throws UserError when a name is unknown, or no view is left to train on
 */
export function splitViews<V extends { readonly name: string }>(
  views: readonly V[],
  holdOut: HoldOut = { every: 8 },
): { readonly train: readonly V[]; readonly test: readonly V[] } {
  const sorted = [...views].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const held = heldOut(sorted, holdOut);
  const train = sorted.filter((_, i) => !held(i));
  if (train.length === 0)
    throw new UserError(`[gaussians/scenes] no view is left to train on: views=${views.length}. Hold out fewer of them.`);
  return { train, test: sorted.filter((_, i) => held(i)) };
}

/** More are not looked at for a median. */
const MOST_LOOKED_AT = 200;

/**
 * How much farther held-out views are from the nearest training view than training views are from each other, as a ratio of medians. About
 * 1 where they lie between; far above where a whole side of the object is held out, as every 8th view does to rings of 8: scores then tell
 * how a side looks that nobody has seen, whatever was learnt of the others.
 *
 * @returns undefined where there is nothing to compare
 */
export function holdOutGap({
  train,
  test,
}: {
  readonly train: readonly { readonly camera: Camera }[];
  readonly test: readonly { readonly camera: Camera }[];
}): number | undefined {
  const places = train.map(({ camera }) => cameraPosition(camera));
  const nearest = (from: readonly [number, number, number], self: number): number =>
    places.reduce(
      (least, place, i) => (i === self ? least : Math.min(least, Math.hypot(place[0] - from[0], place[1] - from[1], place[2] - from[2]))),
      Infinity,
    );
  if (train.length < 2 || test.length === 0) return undefined;
  const stride = Math.ceil(train.length / MOST_LOOKED_AT);
  const among = median(places.flatMap((place, i) => (i % stride === 0 ? [nearest(place, i)] : [])));
  const held = median(test.slice(0, MOST_LOOKED_AT).map(({ camera }) => nearest(cameraPosition(camera), -1)));
  return among > 0 ? held / among : undefined;
}

function heldOut(views: readonly { readonly name: string }[], holdOut: HoldOut): (index: number) => boolean {
  if (holdOut === 'none') return () => false;
  if ('every' in holdOut) {
    const { every } = holdOut;
    checkNumber('gaussians/scenes', { every }, { atLeast: 2, kind: 'integer', advice: 'Give an integer >= 2, or hold out none.' });
    // One or two photographs: there is nothing to spare.
    return views.length < 3 ? () => false : (index) => index % every === 0;
  }
  const names = views.map(({ name }) => name);
  const chosen = new Set(
    holdOut.names.map((given) => {
      const found = names.find((name) => name === given || withoutExtension(name) === given);
      if (found === undefined)
        throw new UserError(
          `[gaussians/scenes] no view of that name to hold out: "${given}".${didYouMean(given, names)} The scene has `
            + `${names.length}, the first is ${names[0] ?? 'none'}.`,
        );
      return found;
    }),
  );
  return (index) => chosen.has(names[index]!);
}

function withoutExtension(name: string): string {
  return name.replace(/\.[^./]+$/, '');
}

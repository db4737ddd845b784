import { didYouMean, UserError } from '@langevin/tensor';

/** Which views are held out: every n-th by name from the first, those named, or none. */
export type HoldOut = { readonly every: number } | { readonly names: readonly string[] } | 'none';

/**
 * Divide views into those that train and those that test, both by name.
 *
 * @param holdOut @default every 8th, as Mip-NeRF 360 and all who compare with it do
 * @throws UserError when a name is unknown, or no view is left to train on
 */
export function splitViews<V extends { readonly name: string }>(views: readonly V[], holdOut: HoldOut = { every: 8 }): { readonly train: readonly V[]; readonly test: readonly V[] } {
  const sorted = [...views].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const held = heldOut(sorted, holdOut);
  const train = sorted.filter((_, i) => !held(i));
  if (train.length === 0) throw new UserError(`[gaussians/scenes] no view is left to train on: views=${views.length}. Hold out fewer of them.`);
  return { train, test: sorted.filter((_, i) => held(i)) };
}

function heldOut(views: readonly { readonly name: string }[], holdOut: HoldOut): (index: number) => boolean {
  if (holdOut === 'none') return () => false;
  if ('every' in holdOut) {
    const { every } = holdOut;
    if (!Number.isSafeInteger(every) || every < 2) throw new UserError(`[gaussians/scenes] held-out views: every=${every}. Give an integer >= 2, or hold out none.`);
    // One or two photographs: there is nothing to spare.
    return views.length < 3 ? () => false : (index) => index % every === 0;
  }
  const names = views.map(({ name }) => name);
  const chosen = new Set(
    holdOut.names.map((given) => {
      const found = names.find((name) => name === given || withoutExtension(name) === given);
      if (found === undefined) throw new UserError(`[gaussians/scenes] no view of that name to hold out: "${given}".${didYouMean(given, names)} The scene has ${names.length}, the first is ${names[0] ?? 'none'}.`);
      return found;
    }),
  );
  return (index) => chosen.has(names[index]!);
}

function withoutExtension(name: string): string {
  return name.replace(/\.[^./]+$/, '');
}

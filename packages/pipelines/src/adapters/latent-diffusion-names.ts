import { UNET_ENDS, UNET_RESNET } from '../first-names.ts';

/** From diffusers' names to theirs. */
const turned = (names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(names).map(([theirs, ours]) => [ours, theirs]));
const ENDS = turned(UNET_ENDS);
const RESNET = turned(UNET_RESNET);

/**
 * What latent diffusion and sgm call the modules of a U-Net of diffusers, as adapters for SDXL spell them: blocks are numbered through,
 * those of diffusers by level and kind.
 *
 * @param modules the U-Net's own; of other networks nothing is found
 * @returns pairs of their name and diffusers'
 */
export function latentDiffusionNames(modules: readonly string[]): readonly (readonly [theirs: string, ours: string])[] {
  const levels = modules.flatMap((name) => /^down_blocks\.0\.resnets\.(\d+)\./u.exec(name)?.[1] ?? []);
  const layers = Math.max(-1, ...levels.map(Number)) + 1;
  if (layers === 0) return [];
  const attends = new Set(modules.flatMap((name) => /^(up_blocks\.\d+)\.attentions\./u.exec(name)?.[1] ?? []));
  return modules.flatMap((name) => {
    const theirs = ENDS[name] ?? blockName(name, { layers, attends });
    return theirs === undefined ? [] : [[theirs, name] as const];
  });
}

function blockName(
  name: string,
  { layers, attends }: { readonly layers: number; readonly attends: ReadonlySet<string> },
): string | undefined {
  const middle = /^mid_block\.(resnets|attentions)\.(\d+)\.(.+)$/u.exec(name);
  if (middle !== null) {
    const [, kind, i, rest] = middle as unknown as readonly [string, string, string, string];
    return kind === 'resnets' ? resnet(`middle_block.${2 * Number(i)}`, rest) : `middle_block.1.${rest}`;
  }
  const block = /^(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/u.exec(name);
  if (block === null) return undefined;
  const [, side, level, kind, i, rest] = block as unknown as readonly [string, string, string, string, string, string];
  const [b, l] = [Number(level), Number(i)];
  const at = side === 'down' ? `input_blocks.${1 + b * (layers + 1) + l}` : `output_blocks.${b * (layers + 1) + l}`;
  switch (kind) {
    case 'resnets':
      return resnet(`${at}.0`, rest);
    case 'attentions':
      return `${at}.1.${rest}`;
    case 'downsamplers':
      return rest === 'conv' ? `input_blocks.${(b + 1) * (layers + 1)}.0.op` : undefined;
    default: {
      const child = attends.has(`up_blocks.${b}`) ? 2 : 1;
      return rest === 'conv' ? `output_blocks.${b * (layers + 1) + layers}.${child}.conv` : undefined;
    }
  }
}

function resnet(at: string, rest: string): string | undefined {
  return RESNET[rest] === undefined ? undefined : `${at}.${RESNET[rest]}`;
}

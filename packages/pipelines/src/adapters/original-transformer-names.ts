import { FLUX_ENDS, JOINT_STREAMS, type JointStream } from '../first-names.ts';

/** A module of another program, as modules of diffusers: its rows are theirs one after another, with halves changed where it says so. */
export interface OriginalModule {
  readonly theirs: string;
  readonly ours: readonly string[];
  /** `halves`: the original has shift before scale, diffusers scale before shift. @default as they are */
  readonly swapped?: 'halves';
}

/**
 * What Flux's and SD3's first programs call the modules of diffusers' transformers, as adapters of Comfy and kohya spell them. Query, key
 * and value are one module there, and in Flux's single blocks the feed-forward is too.
 *
 * @param modules of the transformer; of other networks nothing is found
 */
export function originalTransformerNames(modules: readonly string[]): readonly OriginalModule[] {
  const known = new Set(modules);
  const blocks = [...new Set(modules.flatMap((name) => /^transformer_blocks\.(\d+)\./u.exec(name)?.[1] ?? []))];
  const singles = [...new Set(modules.flatMap((name) => /^single_transformer_blocks\.(\d+)\./u.exec(name)?.[1] ?? []))];
  const all: readonly OriginalModule[] = [
    ...Object.entries(FLUX_ENDS).map(([theirs, ours]) => ({ theirs, ours: [ours] })),
    { theirs: 'final_layer.adaLN_modulation.1', ours: ['norm_out.linear'], swapped: 'halves' },
    ...blocks.flatMap((i) => JOINT_STREAMS.flatMap((stream) => blockModules(i, stream))),
    ...singles.flatMap((i) => {
      const at = `single_transformer_blocks.${i}`;
      return [
        { theirs: `single_blocks.${i}.linear1`, ours: [`${at}.attn.to_q`, `${at}.attn.to_k`, `${at}.attn.to_v`, `${at}.proj_mlp`] },
        { theirs: `single_blocks.${i}.linear2`, ours: [`${at}.proj_out`] },
        { theirs: `single_blocks.${i}.modulation.lin`, ours: [`${at}.norm.linear`] },
      ];
    }),
  ];
  return blocks.length + singles.length === 0 ? [] : all.filter(({ ours }) => ours.every((name) => known.has(name)));
}

function blockModules(i: string, { flux, sd3, proj, norm, ff, fused }: JointStream): readonly OriginalModule[] {
  const at = `transformer_blocks.${i}`;
  const [first, joint] = [`double_blocks.${i}.${flux}`, `joint_blocks.${i}.${sd3}`];
  const qkv = fused.map((name) => `${at}.attn.${name}`);
  return [
    { theirs: `${first}_attn.qkv`, ours: qkv },
    { theirs: `${first}_attn.proj`, ours: [`${at}.${proj}`] },
    { theirs: `${first}_mod.lin`, ours: [`${at}.${norm}`] },
    { theirs: `${first}_mlp.0`, ours: [`${at}.${ff}.net.0.proj`] },
    { theirs: `${first}_mlp.2`, ours: [`${at}.${ff}.net.2`] },
    { theirs: `${joint}.attn.qkv`, ours: qkv },
    { theirs: `${joint}.attn.proj`, ours: [`${at}.${proj}`] },
    { theirs: `${joint}.mlp.fc1`, ours: [`${at}.${ff}.net.0.proj`] },
    { theirs: `${joint}.mlp.fc2`, ours: [`${at}.${ff}.net.2`] },
  ];
}

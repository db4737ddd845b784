import { UserError } from '@langevin/tensor';

/** How diffusers and transformers call the weights of a component. */
const BASES = ['diffusion_pytorch_model', 'model', 'pytorch_model'] as const;

/** The weights of one component, as they lie in its folder. */
export interface WeightChoice {
  /** The file to open: one of all tensors, or an index. */
  readonly name: string;
  /** The variant of the file, such as `fp16`; null for none. */
  readonly variant: string | null;
  /** Why this one, for the account of what was decided. */
  readonly reason: string;
}

export interface WeightChoiceOptions {
  /** The variant that is wanted, such as `fp16`; null for the plain files. @default plain, or the only one there is */
  readonly variant?: string | null;
  /** What happens where a component lacks the variant: it takes its plain files, or is refused. @default 'plain' */
  readonly missingVariant?: 'plain' | 'refuse';
}

interface Candidate {
  readonly name: string;
  readonly variant: string | null;
  readonly form: 'file' | 'index';
  readonly base: string;
}

/**
 * Which of the files in a component's folder are its weights: `model.safetensors`, `model.fp16.safetensors`, or an index of shards in the
 * spelling of today (`model.safetensors.index.fp16.json`) or in the older one (`model.safetensors.fp16.index.json`, also
 * `model.fp16.safetensors.index.json`). An index goes before a whole file of the same variant, as in diffusers.
 *
 * @param names of the files in the folder
 * @param where the folder, for messages
 * @throws UserError when there are none, pickles only, several variants to choose from, or not the one that is wanted
 * @example
 * chooseWeights(['config.json', 'model.fp16.safetensors'], { where: 'text_encoder' }).variant; // => 'fp16'
 */
export function chooseWeights(
  names: readonly string[],
  { where, ...options }: WeightChoiceOptions & { readonly where: string },
): WeightChoice {
  const { variant: wanted, missingVariant = 'plain' } = options;
  const found = names.flatMap((name) => candidate(name) ?? []);
  const of = (variant: string | null): Candidate | undefined => {
    const same = found.filter((each) => each.variant === variant);
    return same.find(({ form }) => form === 'index') ?? same.find(({ form }) => form === 'file');
  };
  const chosen = (pick: Candidate, reason: string): WeightChoice => ({ name: pick.name, variant: pick.variant, reason });
  const variants = [...new Set(found.flatMap(({ variant }) => variant ?? []))].sort();
  const plain = of(null);
  if (found.length === 0) throw absent(names, where);
  if (typeof wanted === 'string') {
    const pick = of(wanted);
    if (pick !== undefined) return chosen(pick, `variant "${wanted}" was asked for`);
    if (plain !== undefined && missingVariant === 'plain') return chosen(plain, `no variant "${wanted}" here`);
    throw new UserError(
      `[pipelines/checkpoint] weights have no such variant: folder=${where}, variant=${JSON.stringify(wanted)}. `
        + `There ${variants.length === 0 ? 'is none' : `are ${variants.join(', ')}`}${plain === undefined ? '' : ', and plain files'}. `
        + 'Ask for one of them.',
    );
  }
  if (plain !== undefined) return chosen(plain, 'the plain files');
  if (wanted === undefined && variants.length === 1) return chosen(of(variants[0]!)!, `the only variant there is: "${variants[0]}"`);
  throw new UserError(
    `[pipelines/checkpoint] weights have several variants and no plain files: folder=${where}, variants=${variants.join(', ')}. `
      + 'Say which with the option variant.',
  );
}

function candidate(name: string): Candidate | undefined {
  for (const base of BASES) {
    if (!name.startsWith(`${base}.`)) continue;
    const rest = name.slice(base.length + 1);
    const forms = [
      { pattern: /^(?:(?<variant>[\w-]+)\.)?safetensors$/u, form: 'file' },
      { pattern: /^safetensors\.index(?:\.(?<variant>[\w-]+))?\.json$/u, form: 'index' },
      { pattern: /^safetensors\.(?<variant>[\w-]+)\.index\.json$/u, form: 'index' },
      { pattern: /^(?<variant>[\w-]+)\.safetensors\.index\.json$/u, form: 'index' },
    ] as const;
    for (const { pattern, form } of forms) {
      const match = pattern.exec(rest);
      if (match !== null) return { name, base, form, variant: match.groups!['variant'] ?? null };
    }
  }
  return undefined;
}

function absent(names: readonly string[], where: string): UserError {
  const pickle = names.find((name) => /\.(?:bin|pt|pth|ckpt|msgpack|h5)$/u.test(name));
  return pickle === undefined
    ? new UserError(
        `[pipelines/checkpoint] weights are missing: folder=${where}. Expected ${BASES[0]}.safetensors or ${BASES[1]}.safetensors there.`,
      )
    : new UserError(
        `[pipelines/checkpoint] weights are in a format that is not read: file=${JSON.stringify(`${where}/${pickle}`)}. Convert them to `
          + 'safetensors: in Python, save_pretrained(..., safe_serialization=True); loading a pickle would run code from it.',
      );
}

import type { UnreadWeight } from '@langevin/nn';
import { isFloating, shownValue, showShape, Tensor, UnsupportedError, UserError } from '@langevin/tensor';
import { lastPart, type AdapterFile } from './open-adapter.ts';

const WHERE = 'pipelines/embeddings';
const MOST_VECTORS = 1000;

/** Vectors in place of a word, for one or two text encoders (Gal et al. 2022, arXiv:2208.01618). */
export interface TextEmbedding {
  /** The word, as it is written in a prompt. */
  readonly token: string;
  /** [vectors, size] for each encoder by its place (0, 1), or the only one, for the encoder of its size. */
  readonly vectors: { readonly only: Tensor } | { readonly first: Tensor; readonly second: Tensor };
}

/** The names under which programs save the vectors of two encoders: of CLIP ViT-L, and of OpenCLIP ViT-bigG. */
const PAIRS = [
  ['clip_l', 'clip_g'],
  ['text_encoders_0', 'text_encoders_1'],
] as const;
/** Under which they save those of one, which are no words. */
const PLAIN = ['emb_params', 'string_to_param.*'];

/**
 * The vectors of a file of textual inversion: of A1111's web UI, of diffusers, whose only key is the word, or of trainers of SDXL.
 *
 * @param token the word. @default the key where it is one, else the name of the file
 * @throws UserError when the file is another one, or its parts do not go together
 */
export function readTextEmbedding({ tensors, from }: AdapterFile, token?: string): TextEmbedding {
  const names = [...tensors.keys()];
  const stem = lastPart(from).replace(/\.safetensors$/u, '');
  const pair = PAIRS.find((both) => both.every((name) => names.includes(name)));
  if (pair !== undefined && names.length === 2) {
    const [first, second] = pair.map((name) => vectorsOf(tensors.get(name)!, { name, from })) as [Tensor, Tensor];
    if (first.shape[0] !== second.shape[0])
      throw new UserError(
        `[${WHERE}] both encoders have as many vectors: file=${from}, ${pair[0]}=${showShape(first.shape)}, ${pair[1]}=`
          + `${showShape(second.shape)}. The file is damaged.`,
      );
    return { token: word(token ?? stem), vectors: { first, second } };
  }
  if (names.length !== 1)
    throw new UserError(
      `[${WHERE}] this is no file of textual inversion: file=${from}, tensors=${names.length}, `
        + `first=${shownValue(names[0])}. Its tensors are one, or ${PAIRS.map((both) => both.join(' and ')).join(', or ')}.`,
    );
  const [name] = names as [string];
  const isWord = !PLAIN.includes(name) && !PAIRS.some((both) => (both as readonly string[]).includes(name));
  return { token: word(token ?? (isWord ? name : stem)), vectors: { only: vectorsOf(tensors.get(name)!, { name, from }) } };
}

function vectorsOf(entry: Tensor | UnreadWeight, { name, from }: { readonly name: string; readonly from: string }): Tensor {
  if (!(entry instanceof Tensor))
    throw new UnsupportedError(
      `[${WHERE}] vectors have a dtype that no engine holds: file=${from}, ${name}=${entry.unread}. Save them as F32.`,
    );
  const [count, size] = entry.rank === 1 ? [1, entry.size] : entry.shape;
  if (entry.rank < 1 || entry.rank > 2 || !isFloating(entry.dtype) || count! < 1 || count! > MOST_VECTORS || size! < 1)
    throw new UserError(
      `[${WHERE}] these are no vectors of a word: file=${from}, ${name}=${entry.dtype}${showShape(entry.shape)}. Give 1 to ${MOST_VECTORS} `
        + 'vectors.',
    );
  return entry;
}

function word(token: unknown): string {
  if (typeof token === 'string' && token.trim() !== '' && token.length <= 200) return token.trim();
  throw new UserError(`[${WHERE}] this is no word: token=${shownValue(token)}. Pass one to write in prompts, such as "<my-cat>".`);
}

import { Tokenizer } from '@huggingface/tokenizers';
import { shownValue, UserError } from '@langevin/tensor';
import { byteLevelBpe } from './byte-level-bpe.ts';
import type { TextTokenizer } from './tokenizer.ts';

const WHERE = 'encoders/tokenizer';

/** The files of a tokenizer, parsed; each as it lies in the folder of a checkpoint. */
export interface TokenizerFiles {
  /** `tokenizer.json`: all of it in one. */
  readonly tokenizer?: unknown;
  /** `tokenizer_config.json` */
  readonly config?: unknown;
  /** `special_tokens_map.json` */
  readonly specialTokens?: unknown;
  /** `vocab.json` and `merges.txt`, where there is no `tokenizer.json`: CLIP's, as Stable Diffusion has them. */
  readonly vocabulary?: unknown;
  readonly merges?: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Where files say no length: transformers writes 1e30 for "as long as you like". */
const LONGEST = 1_000_000;

/**
 * The tokenizer of a checkpoint, from its files: `tokenizer.json`, or the vocabulary and merges of CLIP, of which the tokenizer is made
 * that transformers makes of them. What fills a text up is what the files say, which differs between the encoders of one model.
 *
 * @throws UserError when files are missing or malformed
 */
export function tokenizerFromFiles(files: TokenizerFiles): TextTokenizer {
  const config = objectOf(files.config ?? {}, 'tokenizer_config.json');
  const special = objectOf(files.specialTokens ?? {}, 'special_tokens_map.json');
  const named = (name: string): string | undefined => tokenText(special[name]) ?? tokenText(config[name]);
  const json =
    files.tokenizer === undefined
      ? byteLevelBpe({
          vocabulary: files.vocabulary,
          merges: files.merges,
          special: ['bos_token', 'eos_token', 'pad_token', 'unk_token'].flatMap((name) => named(name) ?? []),
          unknown: named('unk_token') ?? null,
        })
      : objectOf(files.tokenizer, 'tokenizer.json');
  const tokenizer = made(json, config);
  const idOf = (name: string): number | null => {
    const text = named(name);
    const id = text === undefined ? undefined : tokenizer.token_to_id(text);
    if (text !== undefined && id === undefined)
      throw new UserError(
        `[${WHERE}] token is not one of the vocabulary: ${name}=${JSON.stringify(text)}. Correct the files of the tokenizer.`,
      );
    return id ?? null;
  };
  const { begin, end } = endsOf(tokenizer);
  const pad = idOf('pad_token') ?? end ?? 0;
  const { model_max_length: said } = config;
  const length = typeof said === 'number' && said >= 1 ? Math.min(Math.floor(said), LONGEST) : LONGEST;
  return Object.freeze({
    length,
    begin,
    end,
    pad,
    vocabulary: tokenizer.get_vocab(true).size,
    encode: (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids,
    decode: (ids: readonly number[]) => tokenizer.decode([...ids], { skip_special_tokens: true }),
  });
}

/** What the tokenizer itself puts around a text. */
function endsOf(tokenizer: Tokenizer): { readonly begin: number | null; readonly end: number | null } {
  const plain = tokenizer.encode('', { add_special_tokens: false }).ids;
  const { ids } = tokenizer.encode('', { add_special_tokens: true });
  const around = ids.length - plain.length;
  if (around === 0) return { begin: null, end: null };
  if (around === 1) return { begin: null, end: ids[0]! };
  if (around === 2) return { begin: ids[0]!, end: ids.at(-1)! };
  throw new UserError(`[${WHERE}] tokenizer puts more than two tokens around a text: tokens=${around}. Pass one that puts at most two.`);
}

function made(json: Json, config: Json): Tokenizer {
  try {
    return new Tokenizer(json, config);
  } catch (cause) {
    throw new UserError(`[${WHERE}] tokenizer cannot be made of its files: ${(cause as Error).message}. Download them again.`, { cause });
  }
}

function objectOf(value: unknown, file: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new UserError(`[${WHERE}] file holds no object: file=${file}, content=${shownValue(value)}. Download it again.`);
}

/** Tokens are text, or objects with their text in them. */
function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string' ? value.content : undefined;
}

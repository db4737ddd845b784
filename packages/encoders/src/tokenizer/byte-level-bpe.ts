import { shownValue, UserError } from '@langevin/tensor';

const WHERE = 'encoders/tokenizer';
/** CLIP has 49,408 tokens and 48,894 merges; placeholders come on top. */
const MOST = 10_000_000;

/** What CLIP takes for one word before it is divided further (Radford et al. 2021, released code). */
const WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

/**
 * CLIP's tokenizer as the content of a `tokenizer.json`, as transformers makes it of a vocabulary and merges: text in lower case and normal
 * form C with single spaces, divided into words, whose bytes are merged in the order of the merges, with `</w>` at the end of a word.
 *
 * @throws UserError when one of the two is missing or malformed
 */
export function byteLevelBpe({
  vocabulary,
  merges,
  special,
  unknown,
}: {
  readonly vocabulary: unknown;
  readonly merges: unknown;
  /** Texts of the tokens that stand for themselves. */
  readonly special: readonly string[];
  readonly unknown: string | null;
}): Readonly<Record<string, unknown>> {
  const vocab = vocabularyOf(vocabulary);
  const added = [...new Set(special)].map((content) => {
    const id = vocab[content];
    if (id === undefined)
      throw new UserError(
        `[${WHERE}] token is not one of the vocabulary: token=${JSON.stringify(content)}. Correct special_tokens_map.json.`,
      );
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  });
  const [begin, end] = [special[0], special[1]];
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: String.raw`\s+` }, content: ' ' }, { type: 'Lowercase' }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor:
      begin === undefined || end === undefined
        ? null
        : { type: 'RobertaProcessing', sep: [end, vocab[end]], cls: [begin, vocab[begin]], trim_offsets: false, add_prefix_space: false },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: mergesOf(merges),
    },
  };
}

function vocabularyOf(given: unknown): Readonly<Record<string, number>> {
  const fail = (problem: string): never => {
    throw new UserError(`[${WHERE}] vocabulary is malformed: ${problem}. Give vocab.json as it was downloaded.`);
  };
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return fail(`content=${shownValue(given)}`);
  const entries = Object.entries(given as Readonly<Record<string, unknown>>);
  if (entries.length === 0 || entries.length > MOST) return fail(`entries=${entries.length}`);
  const wrong = entries.find(([, id]) => !Number.isInteger(id) || (id as number) < 0 || (id as number) >= MOST);
  if (wrong !== undefined) return fail(`${JSON.stringify(wrong[0].slice(0, 80))}=${shownValue(wrong[1])}`);
  return Object.fromEntries(entries) as Readonly<Record<string, number>>;
}

function mergesOf(given: unknown): readonly (readonly [string, string])[] {
  if (typeof given !== 'string')
    throw new UserError(`[${WHERE}] merges are missing: merges=${shownValue(given)}. Give the text of merges.txt.`);
  const lines = given.split('\n').filter((line, i) => line.trim() !== '' && !(i === 0 && line.startsWith('#version')));
  return lines.map((line, i): readonly [string, string] => {
    const parts = line.trim().split(' ');
    if (parts.length === 2) return [parts[0]!, parts[1]!];
    throw new UserError(
      `[${WHERE}] merge is not of two tokens: line=${i + 1}, content=${shownValue(line.slice(0, 80))}. Give merges.txt `
        + 'as it was downloaded.',
    );
  });
}

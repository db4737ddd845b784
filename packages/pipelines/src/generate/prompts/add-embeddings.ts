import { withPlaceholders, type TextEncoder, type TextTokenizer } from '@langevin/encoders';
import { cast, concat, mapTensors, namedTensors, reshape, UserError, type Tensor } from '@langevin/tensor';
import type { TextEmbedding } from '../../adapters/read-embedding.ts';
import type { WithParams } from '../product.ts';

/** A text encoder with the tokenizer that makes its numbers. */
export interface TextPart extends WithParams<TextEncoder<unknown>> {
  readonly tokenizer: TextTokenizer;
}

/** An embedding, and where it lies, for messages. */
export interface PlacedEmbedding extends TextEmbedding {
  readonly from: string;
}

/**
 * Text encoders that know some more words: the vectors of each are further rows of their tables of tokens, whose own rows stay as they are.
 *
 * @throws UserError for vectors of a size that no encoder has
 */
export function addEmbeddings<P extends TextPart>(parts: readonly P[], embeddings: readonly PlacedEmbedding[]): readonly P[] {
  const rows = parts.map((): { readonly token: string; readonly vectors: Tensor }[] => []);
  for (const { token, vectors, from } of embeddings) {
    const each = 'only' in vectors ? [vectors.only] : [vectors.first, vectors.second];
    for (const [i, own] of each.entries()) {
      const size = own.shape.at(-1)!;
      const fits = (at: number): boolean => parts[at]?.module.info.size === size;
      const at = each.length === 1 ? parts.findIndex((_, part) => fits(part)) : i;
      if (!fits(at))
        throw new UserError(
          `[pipelines/embeddings] vectors are for another model: file=${from}, size=${size}, text encoders have `
            + `${parts.map(({ module }) => module.info.size).join(' and ')}. Use it with the model that it was made for.`,
        );
      rows[at]!.push({ token, vectors: reshape(cast(own, 'float32'), [own.size / size, size]) });
    }
  }
  return parts.map((part, i) => {
    const own = rows[i]!;
    if (own.length === 0) return part;
    const placeholders = own.map(({ token, vectors }) => ({ text: token, tokens: vectors.shape[0]! }));
    const { table } = part.module.info;
    const wide = cast(namedTensors(part.params).get(table)!, 'float32');
    const longer = concat([wide, ...own.map(({ vectors }) => vectors)], 0);
    return Object.freeze({
      ...part,
      tokenizer: withPlaceholders(part.tokenizer, placeholders),
      params: mapTensors(part.params, (value, _, name) => (name === table ? longer : value)),
    });
  });
}

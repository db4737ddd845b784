import { countOf, rowsOf, sizeIn, transposed, type Naming, type Shapes } from './targets.ts';

/** What a text encoder is, as its names and shapes say. */
export interface ClipLayout {
  readonly vocabulary: number;
  readonly features: number;
  readonly inner: number;
  readonly layers: number;
  readonly positions: number;
  /** Features behind the projection; undefined where there is none. */
  readonly projection: number | undefined;
  readonly naming: Naming;
}

/** Names as transformers has them; `text_model.` before them is missing in what its version 5.6 saves. */
export function clipLayout(given: Shapes): ClipLayout {
  const shapes = new Map([...given].map(([name, shape]) => [name.replace(/^text_model\./u, ''), shape]));
  return {
    vocabulary: sizeIn(shapes, 'embeddings.token_embedding.weight', 0),
    features: sizeIn(shapes, 'embeddings.token_embedding.weight', 1),
    inner: sizeIn(shapes, 'encoder.layers.0.mlp.fc1.weight', 0),
    layers: countOf(shapes, /^encoder\.layers\.(\d{1,3})\./u),
    positions: sizeIn(shapes, 'embeddings.position_embedding.weight', 0),
    projection: shapes.get('text_projection.weight')?.[0],
    naming: (name) =>
      /^(?:text_model\.)?(?:embeddings|encoder|final_layer_norm)\.|^text_projection\./u.test(name) ? [{ to: name }] : undefined,
  };
}

const LAYER: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  'attn.out_proj': 'self_attn.out_proj',
};
const ROOT: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
};

/** Names as OpenCLIP has them: one matrix for queries, keys and values, and a projection that is multiplied from the other side. */
export function openClipLayout(shapes: Shapes): ClipLayout {
  return {
    vocabulary: sizeIn(shapes, 'token_embedding.weight', 0),
    features: sizeIn(shapes, 'token_embedding.weight', 1),
    inner: sizeIn(shapes, 'transformer.resblocks.0.mlp.c_fc.weight', 0),
    layers: countOf(shapes, /^transformer\.resblocks\.(\d{1,3})\./u),
    positions: sizeIn(shapes, 'positional_embedding', 0),
    projection: shapes.get('text_projection')?.[1],
    naming: (name) => {
      if (Object.hasOwn(ROOT, name)) return [{ to: ROOT[name]! }];
      if (name === 'text_projection') return [{ to: 'text_projection.weight', values: transposed }];
      const layer = /^transformer\.resblocks\.(\d+)\.(.*)$/u.exec(name);
      if (layer === null) return undefined;
      const at = `text_model.encoder.layers.${layer[1]}`;
      const fused = /^attn\.in_proj_(weight|bias)$/u.exec(layer[2]!)?.[1];
      if (fused !== undefined) return rowsOf(['q_proj', 'k_proj', 'v_proj'].map((part) => `${at}.self_attn.${part}.${fused}`));
      const own = /^(.*)\.(weight|bias)$/u.exec(layer[2]!);
      return own !== null && Object.hasOwn(LAYER, own[1]!) ? [{ to: `${at}.${LAYER[own[1]!]!}.${own[2]}` }] : undefined;
    },
  };
}

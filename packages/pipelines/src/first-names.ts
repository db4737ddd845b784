// How the first programs of models call the modules of diffusers: theirs, then ours. Single files have weights by these names, and so do
// adapters that other programs save.

/** Of the U-Net of latent diffusion: what is there once. */
export const UNET_ENDS: Readonly<Record<string, string>> = {
  'time_embed.0': 'time_embedding.linear_1',
  'time_embed.2': 'time_embedding.linear_2',
  'label_emb.0.0': 'add_embedding.linear_1',
  'label_emb.0.2': 'add_embedding.linear_2',
  'input_blocks.0.0': 'conv_in',
  'out.0': 'conv_norm_out',
  'out.2': 'conv_out',
};

/** Within each of its residual blocks. */
export const UNET_RESNET: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

/** Of the transformer of Flux: what is there once, but for the norm of its output. */
export const FLUX_ENDS: Readonly<Record<string, string>> = {
  'time_in.in_layer': 'time_text_embed.timestep_embedder.linear_1',
  'time_in.out_layer': 'time_text_embed.timestep_embedder.linear_2',
  'vector_in.in_layer': 'time_text_embed.text_embedder.linear_1',
  'vector_in.out_layer': 'time_text_embed.text_embedder.linear_2',
  'guidance_in.in_layer': 'time_text_embed.guidance_embedder.linear_1',
  'guidance_in.out_layer': 'time_text_embed.guidance_embedder.linear_2',
  txt_in: 'context_embedder',
  img_in: 'x_embedder',
  'final_layer.linear': 'proj_out',
};

/** The modules of diffusers in one of the two streams of a joint block. */
export interface JointStream {
  /** What Flux calls the stream, and what SD3 does. */
  readonly flux: 'img' | 'txt';
  readonly sd3: 'x_block' | 'context_block';
  readonly proj: string;
  readonly norm: string;
  readonly ff: string;
  readonly q: string;
  readonly k: string;
  /** Query, key and value, which are one module there. */
  readonly fused: readonly [string, string, string];
}

export const JOINT_STREAMS: readonly [picture: JointStream, text: JointStream] = [
  {
    ...{ flux: 'img', sd3: 'x_block' },
    ...{ proj: 'attn.to_out.0', norm: 'norm1.linear', ff: 'ff', q: 'norm_q', k: 'norm_k', fused: ['to_q', 'to_k', 'to_v'] },
  },
  {
    ...{ flux: 'txt', sd3: 'context_block' },
    ...{ proj: 'attn.to_add_out', norm: 'norm1_context.linear', ff: 'ff_context', q: 'norm_added_q', k: 'norm_added_k' },
    fused: ['add_q_proj', 'add_k_proj', 'add_v_proj'],
  },
];

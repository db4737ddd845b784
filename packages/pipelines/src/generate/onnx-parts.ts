import { inFloat32 } from '@langevin/nn';
import {
  checkNumber,
  data,
  isStored,
  mapTensors,
  readOptions,
  tensor,
  tensorsOf,
  traceGraph,
  UnsupportedError,
  UserError,
  type Graph,
  type Tensor,
  type ValueInfo,
} from '@langevin/tensor';
import { componentOf } from '../checkpoint/checkpoint.ts';
import { loadTextEncoder } from '../checkpoint/load-encoder.ts';
import type { OpenProduct } from './product.ts';

/** A part of a model as a graph whose weights are constants, with the names that its inputs and outputs have in ONNX files. */
export interface OnnxPart {
  /** Its folder: that of the component, `vae_decoder` for the decoder. */
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface OnnxPartsOptions {
  /** Pixels of the pictures that the graphs are for. @default the usual ones of the model */
  readonly width?: number;
  readonly height?: number;
  /** How many items the graphs take at once; guidance compares two. @default 1 */
  readonly batch?: number;
}

const WHERE = 'pipelines/onnx';
/** Names of diffusers where ours differ. */
const NAMES: Readonly<Record<string, string>> = {
  text: 'encoder_hidden_states',
  'text.mask': 'encoder_attention_mask',
  pooled: 'pooled_projections',
};

/**
 * The parts of an opened model as graphs of fixed shapes, for `graphToOnnxFiles`: each text encoder (numbers of tokens to features), the
 * denoising network (its raw output), and the decoder (latents as the network has them over their scale). Adapters are in the weights.
 *
 * @throws UserError for sides that are no multiples of the model's; UnsupportedError for conditions that a prompt does not give
 * @example
 * // not run: needs a checkpoint in a folder
 * const model = await openModel('stable-diffusion-v1-5');
 * for (const { name, graph, inputs, outputs } of await onnxParts(model)) {
 *   const { model, data } = await graphToOnnxFiles(graph, { location: 'model.onnx_data', inputNames: inputs, outputNames: outputs });
 * }
 */
export async function onnxParts(model: OpenProduct, options: OnnxPartsOptions = {}): Promise<readonly OnnxPart[]> {
  const {
    width = model.usual.size.width,
    height = model.usual.size.height,
    batch = 1,
  } = readOptions(WHERE, options, ['width', 'height', 'batch']);
  for (const [name, value] of Object.entries({ width, height })) {
    checkNumber(WHERE, { [name]: value }, { kind: 'integer', atLeast: model.multiple, atMost: 16_384 });
    if (value % model.multiple !== 0)
      throw new UserError(`[${WHERE}] side is not a multiple of ${model.multiple}: ${name}=${value}. Give one that is.`);
  }
  checkNumber(WHERE, { batch }, { kind: 'integer', atLeast: 1, atMost: 64 });
  const { channels, factor } = model.state;
  const sample = float([batch, channels, height / factor, width / factor]);
  const prompts = Array.from({ length: batch }, () =>
    model.prompts === 'taken' && model.clipSkip === 'refused' && hasLabels(model) ? '0' : '',
  );
  const { conditions } = await model.encodePrompts({ prompts, size: { width, height } });
  const told: Record<string, ValueInfo> = Object.fromEntries(
    Object.entries(conditions).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
  if (model.guidedBy === 'condition') told['guidance'] = float([batch]);
  return [...(await textParts(model, { batch, told })), await networkPart(model, { sample, told }), ...(await decoderPart(model, sample))];
}

const float = (shape: readonly number[]): ValueInfo => ({ shape, dtype: 'float32' });

function hasLabels({ network }: OpenProduct): boolean {
  return network.module.info.conditions['label'] !== undefined;
}

/** Weights that adapters changed are computed; those of files stay in them, and are constants as they are. */
async function settled<T>(params: T, { engine }: OpenProduct): Promise<T> {
  const onEngine = engine ? { engine } : {};
  const computed = tensorsOf(params).filter((each) => !isStored(each));
  const values = await Promise.all(
    computed.map(async (each) => [each, tensor(await data(each, onEngine), { shape: each.shape, dtype: each.dtype })] as const),
  );
  const held = new Map<Tensor, Tensor>(values);
  return mapTensors(params, (each) => held.get(each) ?? each);
}

async function networkPart(
  model: OpenProduct,
  { sample, told }: { readonly sample: ValueInfo; readonly told: Readonly<Record<string, ValueInfo>> },
): Promise<OnnxPart> {
  const { module, params } = model.network;
  const { info } = module;
  const lacking = Object.entries(info.conditions).find(([name, spec]) => spec.optional !== true && told[name] === undefined);
  if (lacking !== undefined)
    throw new UnsupportedError(
      `[${WHERE}] network takes what no prompt gives: condition=${lacking[0]}, kind=${lacking[1].kind}. Exported are networks that `
        + 'prompts alone lead.',
    );
  const names = Object.keys(told);
  const time: ValueInfo = { shape: [sample.shape[0]!], dtype: info.time === 'index' ? 'int32' : 'float32' };
  const weights = await settled(params, model);
  const graph = traceGraph(
    (x, t, ...given) =>
      module.apply(inFloat32(weights), x!, t!, { conditions: Object.fromEntries(names.map((name, i) => [name, given[i]!])) }),
    [sample, time, ...names.map((name) => told[name]!)],
  );
  const component = [...model.weights].find(([, own]) => own === model.network.params)?.[0] ?? 'denoiser';
  return { name: component, graph, inputs: ['sample', 'timestep', ...names.map((name) => NAMES[name] ?? name)], outputs: ['out_sample'] };
}

async function textParts(
  model: OpenProduct,
  { batch, told }: { readonly batch: number; readonly told: Readonly<Record<string, ValueInfo>> },
): Promise<readonly OnnxPart[]> {
  const parts: OnnxPart[] = [];
  const bounded: number[] = [];
  for (const name of [...model.weights.keys()].filter((each) => each.startsWith('text_encoder')).sort()) {
    const { module } = await loadTextEncoder(model.checkpoint, name);
    if (module.info.length !== null) bounded.push(module.info.length);
    // Stable Diffusion 3 has the tokens of T5 behind those of CLIP.
    const rest = (told['text']?.shape[1] ?? 77) - (componentOf(model.checkpoint, name).name === 'text_encoder_3' ? (bounded[0] ?? 0) : 0);
    const length = module.info.length ?? rest;
    const weights = await settled(model.weights.get(name), model);
    const pooled = module.info.pooled !== null;
    const graph = traceGraph(
      (ids) => {
        const made = module.apply(inFloat32(weights), ids!);
        return [made.last, ...(pooled ? [made.pooled!] : []), ...made.states.slice(0, -1)];
      },
      [{ shape: [batch, length], dtype: 'int32' }],
    );
    const layers = Array.from({ length: graph.outputs.length - (pooled ? 2 : 1) }, (_, i) => `hidden_states.${i}`);
    parts.push({ name, graph, inputs: ['input_ids'], outputs: ['last_hidden_state', ...(pooled ? ['pooler_output'] : []), ...layers] });
  }
  return parts;
}

async function decoderPart(model: OpenProduct, latents: ValueInfo): Promise<readonly OnnxPart[]> {
  if (!model.checkpoint.components.has('vae') || !model.weights.has('vae')) return [];
  const { module, params } = model.autoencoder;
  const weights = await settled(params, model);
  const graph = traceGraph((z) => module.decode(inFloat32(weights), z!), [latents]);
  return [{ name: 'vae_decoder', graph, inputs: ['latent_sample'], outputs: ['sample'] }];
}

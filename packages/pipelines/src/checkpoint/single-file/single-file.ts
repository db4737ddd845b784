import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readBytes } from '@langevin/io/node';
import { eye, readOptions, showShape, sizeOf, UnsupportedError, UserError, type Tensor } from '@langevin/tensor';
import type { UnreadWeight } from '@langevin/nn';
import { mappedTensors } from '../../weights.ts';
import type { Evidence } from '../evidence.ts';
import type { CheckpointFiles, StoredForm, WeightFile } from '../files.ts';
import { isPlainObject } from '../plain-object.ts';
import { storedBytes } from '../stored-bytes.ts';
import { architectureOf, FACTS } from './architecture.ts';
import { componentsOf, type FileComponent } from './components.ts';
import { pipelineOf } from './configs.ts';
import { SINGLE_FILE_OPTIONS, type SingleFileOptions } from './single-file-options.ts';
import { partsOf } from './parts.ts';
import { predictionOf } from './prediction.ts';
import type { Shapes } from './targets.ts';

type Entry = Tensor | UnreadWeight;
/** The tensors of a component, and how the file has them. */
type Filled = Pick<WeightFile, 'tensors' | 'stored'>;

/** Programs before latent diffusion's own count an average only from here: fewer are something else. */
const FEWEST_AVERAGES = 100;
const MOST_YAML_BYTES = 1024 * 1024;

/** Tensors that are in files and in no component, each with its reason. */
const KNOWN: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  {
    pattern: /^(?:betas|alphas_cumprod(?:_prev)?|sqrt_\w+|log_\w+|posterior_\w+|lvlb_weights|denoiser\.sigmas)$/u,
    reason: 'follows from the noise that the scheduler describes',
  },
  { pattern: /^(?:global_step|scale_factor|logvar|epoch)$/u, reason: 'a note of the training' },
  { pattern: /^(?:v_pred|ztsnr|edm_mean|edm_std)$/u, reason: 'a marker, which was read' },
  { pattern: /^(?:first_stage_model\.)?loss\./u, reason: 'a loss of the training' },
  { pattern: /(?:^|\.)(?:logit_scale|attn_mask|position_ids)$/u, reason: 'not part of what an encoder computes' },
  { pattern: /^model_ema\.(?:decay|num_updates)$/u, reason: 'a note of the moving average' },
];

/**
 * A single file of Stable Diffusion 1, 2, XL or 3, or of Flux, as a folder in the layout of diffusers would be: its components under the
 * names of their classes, with configurations that follow from names, shapes, and what is known of each product. No weight is read.
 *
 * @throws UserError for a file that is malformed, is no model, or has a tensor that belongs to nothing; UnsupportedError for a layout that
 *   is not known
 * @example
 * // not run: needs a file of some gigabytes
 * import { folderFiles, openCheckpoint, singleFile } from '@langevin/pipelines';
 * const files = await singleFile('model.safetensors', { weights: 'ema', config: await folderFiles('configurations') });
 * const { components } = await openCheckpoint(files);
 */
export async function singleFile(path: string, options: SingleFileOptions = {}): Promise<CheckpointFiles> {
  const { weights = 'raw', config: beside } = readOptions('pipelines/single-file', options, SINGLE_FILE_OPTIONS);
  if (weights !== 'raw' && weights !== 'ema')
    throw new UserError(`[pipelines/single-file] unknown weights: weights=${String(weights)}. Say raw or ema.`);
  const file = await mappedTensors(path);
  const entries = unnested(file.tensors, path);
  const stored = unnested(file.stored, path);
  refuseUnread(entries, path);
  const shapes: Shapes = new Map([...entries].map(([name, entry]) => [name, 'unread' in entry ? [] : entry.shape]));
  const parts = partsOf(new Map([...shapes].filter(([name]) => !name.startsWith('model_ema.'))), path);
  const architecture = architectureOf(parts, { asked: options.architecture, from: path });
  const components = await componentsOf(parts, { architecture: architecture?.name, from: path, ...(beside && { beside }) });
  const filled = fill(entries, { stored, components, weights, path });
  const denoiser = parts.find(({ kind }) => kind === 'unet' || kind === 'sd3' || kind === 'flux');
  const documents = new Map<string, unknown>(components.map(({ name, config }) => [`${name}/config.json`, config]));
  const evidence: Evidence[] = [...file.evidence, ...filled.evidence];
  if (architecture)
    evidence.unshift({ component: '', what: 'architecture', value: FACTS[architecture.name].title, from: architecture.reason });
  const kept = beside === undefined ? new Map<string, number>() : besideFiles(beside, components);
  if (architecture !== undefined && denoiser !== undefined) {
    const given = beside?.sizes.has('scheduler/scheduler_config.json') ? await beside.json('scheduler/scheduler_config.json') : undefined;
    const scheduler = isPlainObject(given) ? given : undefined;
    const markers = new Set([...shapes.keys()].filter((name) => name === 'v_pred' || name === 'ztsnr'));
    const prediction = predictionOf(architecture.name, {
      asked: options.prediction,
      markers,
      yaml: await yamlBeside(path),
      config: scheduler,
    });
    documents.set('scheduler/scheduler_config.json', { ...(scheduler ?? FACTS[architecture.name].scheduler), ...prediction.entries });
    evidence.push(...prediction.evidence);
    const tokenizers = [...new Set([...kept.keys()].flatMap((name) => /^(tokenizer(?:_\d)?)\//u.exec(name)?.[1] ?? []))];
    documents.set('model_index.json', {
      _class_name: pipelineOf(architecture.name, denoiser),
      ...Object.fromEntries(components.map(({ name, className, library }) => [name, [library, className]])),
      scheduler: ['diffusers', String((documents.get('scheduler/scheduler_config.json') as Record<string, unknown>)['_class_name'])],
      ...Object.fromEntries(
        await Promise.all(tokenizers.map(async (name) => [name, ['transformers', await tokenizerClass(beside!, name)]])),
      ),
    });
    for (const lacking of lackingOf(components, tokenizers))
      evidence.push({
        component: lacking,
        what: 'component',
        value: 'absent',
        from: `${basename(path)} has none: the option config may give it`,
      });
  } else {
    // One model alone lies in the root, as in folders.
    const [only, ...others] = components;
    if (only === undefined || others.length > 0)
      throw new UserError(
        `[pipelines/single-file] file has encoders and no denoiser: file=${path}, it has ${components.map(({ name }) => name).join(', ')}. `
          + 'Open the file of the denoiser.',
      );
    documents.clear();
    documents.set('config.json', only.config);
  }
  return view({ path, documents, filled: filled.weights, kept, beside, file, evidence, root: !documents.has('model_index.json') });
}

/** Names without `state_dict.`, however often it is before them. */
function unnested<E>(tensors: ReadonlyMap<string, E>, path: string): ReadonlyMap<string, E> {
  const entries = new Map<string, E>();
  for (const [name, entry] of tensors) {
    const own = name.replace(/^(?:state_dict\.)+/u, '');
    if (entries.has(own))
      throw new UserError(
        `[pipelines/single-file] two tensors have one name: file=${path}, name=${own}, once below state_dict. Remove one.`,
      );
    entries.set(own, entry);
  }
  return entries;
}

/** Shapes decide everything here, and weights that no engine holds have none. */
function refuseUnread(entries: ReadonlyMap<string, Entry>, path: string): void {
  for (const [name, entry] of entries) {
    if (!('unread' in entry) || KNOWN.some(({ pattern }) => pattern.test(name))) continue;
    throw new UnsupportedError(
      `[pipelines/single-file] weight has a dtype that no engine holds: file=${path}, name=${name}, dtype=${entry.unread}. Take a `
        + 'file of the model in F16, BF16, F8_E4M3 or, as GGUF, in Q8_0, Q6_K or Q4_K.',
    );
  }
}

/** Each component's tensors under the names of its class; every tensor of the file is used, or is left out for a reason. */
function fill(
  entries: ReadonlyMap<string, Entry>,
  {
    stored,
    components,
    weights,
    path,
  }: {
    readonly stored: WeightFile['stored'];
    readonly components: readonly FileComponent[];
    readonly weights: 'raw' | 'ema';
    readonly path: string;
  },
): { readonly weights: ReadonlyMap<string, Filled>; readonly evidence: readonly Evidence[] } {
  const averages = [...entries.keys()].filter((name) => name.startsWith('model_ema.') && !/\.(?:decay|num_updates)$/u.test(name));
  const averaged = averages.length > FEWEST_AVERAGES;
  if (weights === 'ema' && !averaged)
    throw new UserError(`[pipelines/single-file] file has no moving average: file=${path}, weights=ema, there: raw. Leave the option out.`);
  const made = new Map(components.map(({ name }) => [name, { tensors: new Map<string, Entry>(), stored: new Map<string, StoredForm>() }]));
  const evidence: Evidence[] = [];
  const foreign: string[] = [];
  const left = new Map<string, number>();
  const leave = (reason: string): void => void left.set(reason, (left.get(reason) ?? 0) + 1);
  for (const [name, entry] of entries) {
    if (name.startsWith('model_ema.')) {
      if (averaged && weights === 'raw') leave('the moving average, as raw weights are taken; the option weights says otherwise');
      else if (!averaged) leave('too few to be a moving average');
      continue;
    }
    const component = components.find(({ prefix, naming }) => name.startsWith(prefix) && naming(name.slice(prefix.length)) !== undefined);
    if (component === undefined) {
      const known =
        KNOWN.find(({ pattern }) => pattern.test(name))
        ?? components.flatMap((each) => each.left ?? []).find(({ pattern }) => pattern.test(name));
      if (known === undefined) foreign.push(name);
      else leave(known.reason);
      continue;
    }
    const flat = `model_ema.${name.split('.').slice(1).join('')}`;
    const source = weights === 'ema' && component.denoiser ? entries.get(flat) : entry;
    if (source === undefined)
      throw new UserError(`[pipelines/single-file] moving average lacks a weight: file=${path}, name=${flat}. Take the raw weights.`);
    for (const { to, values } of component.naming(name.slice(component.prefix.length))!) {
      const own = made.get(component.name)!;
      const value = values === undefined || 'unread' in source ? source : changed(source, { values, name, path });
      own.tensors.set(to, value);
      const form = stored.get(source === entry ? name : flat);
      if (form === undefined || 'unread' in value || 'unread' in source) continue;
      // One tensor of a file may be several weights: queries, keys and values.
      own.stored.set(to, { ...form, byteLength: Math.round((form.byteLength * sizeOf(value.shape)) / sizeOf(source.shape)) });
    }
  }
  if (foreign.length > 0)
    throw new UserError(
      `[pipelines/single-file] tensors belong to nothing that is known: file=${path}, tensors=${foreign.length}, first: `
        + `${foreign
          .slice(0, 3)
          .map((name) => JSON.stringify(name))
          .join(', ')}. Open the model as a folder of diffusers.`,
    );
  for (const { name, added } of components)
    for (const [to, size] of added ?? []) if (!made.get(name)!.tensors.has(to)) made.get(name)!.tensors.set(to, eye(size));
  for (const [reason, count] of left) evidence.push({ component: '', what: 'weights', value: `${count} not read`, from: reason });
  if (averaged)
    evidence.push({ component: '', what: 'weights', value: weights, from: 'the file has raw weights and their moving average' });
  return { weights: made, evidence };
}

/** A tensor in the layout of its class. @throws UserError for a shape that cannot be in the other layout */
function changed(
  stored: Tensor,
  { values, name, path }: { readonly values: (stored: Tensor) => Tensor; readonly name: string; readonly path: string },
): Tensor {
  try {
    return values(stored);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(
      `[pipelines/single-file] shape is not that of the name: file=${path}, name=${name}, shape=${showShape(stored.shape)}. `
        + 'The file is damaged, or of another model.',
      { cause },
    );
  }
}

/** What of a folder beside the file is shown: all but weights, and configurations of what the file has itself. */
function besideFiles(beside: CheckpointFiles, components: readonly FileComponent[]): ReadonlyMap<string, number> {
  const own = new Set(components.map(({ name }) => name));
  return new Map([...beside.sizes].filter(([path]) => !own.has(path.split('/')[0]!) && /^tokenizer(?:_\d)?\/[^/]+$/u.test(path)));
}

async function tokenizerClass(beside: CheckpointFiles, name: string): Promise<string> {
  const index = beside.sizes.has('model_index.json') ? await beside.json('model_index.json') : undefined;
  const entry = isPlainObject(index) ? index[name] : undefined;
  return Array.isArray(entry) && typeof entry[1] === 'string' ? entry[1] : 'CLIPTokenizer';
}

function lackingOf(components: readonly FileComponent[], tokenizers: readonly string[]): readonly string[] {
  const names = new Set([...components.map(({ name }) => name), ...tokenizers]);
  const encoders = components.flatMap(({ name }) => (name.startsWith('text_encoder') ? [name.replace('text_encoder', 'tokenizer')] : []));
  return ['vae', 'text_encoder', ...(encoders.length > 0 ? encoders : ['tokenizer'])].filter((name) => !names.has(name));
}

/** The configuration of the original program, which lies beside the file under its name. */
async function yamlBeside(path: string): Promise<string | undefined> {
  const beside = path.replace(/\.safetensors$/iu, '.yaml');
  if (beside === path || (await stat(beside).catch(() => undefined))?.isFile() !== true) return undefined;
  return new TextDecoder().decode(await readBytes(beside, { maxBytes: MOST_YAML_BYTES }));
}

const WEIGHTS = 'diffusion_pytorch_model.safetensors';

function view({
  path,
  documents,
  filled,
  kept,
  beside,
  file,
  evidence,
  root,
}: {
  readonly path: string;
  readonly documents: ReadonlyMap<string, unknown>;
  readonly filled: ReadonlyMap<string, Filled>;
  readonly kept: ReadonlyMap<string, number>;
  readonly beside: CheckpointFiles | undefined;
  readonly file: WeightFile;
  readonly evidence: readonly Evidence[];
  readonly root: boolean;
}): CheckpointFiles {
  const files = new Map([...filled].map(([name, own]) => [root ? WEIGHTS : `${name}/${WEIGHTS}`, own]));
  const missing = (file: string): UserError =>
    new UserError(`[pipelines/single-file] file is missing: path=${JSON.stringify(file)}, model=${path}. A single file has no such part.`);
  return Object.freeze({
    label: path,
    derived: `the names and shapes of ${basename(path)}`,
    evidence,
    sizes: new Map([
      ...[...documents].map(([name, content]) => [name, JSON.stringify(content).length] as const),
      ...[...files].map(([name, own]) => [name, storedBytes(own)] as const),
      ...kept,
    ]),
    json: (name: string) => {
      if (documents.has(name)) return Promise.resolve(documents.get(name));
      return kept.has(name) ? beside!.json(name) : Promise.reject(missing(name));
    },
    bytes: (name: string, limits: { readonly maxBytes: number }) =>
      kept.has(name) ? beside!.bytes(name, limits) : Promise.reject(missing(name)),
    weights: (name: string): Promise<WeightFile> => {
      const own = files.get(name);
      if (own === undefined) return Promise.reject(missing(name));
      return Promise.resolve({ ...own, metadata: file.metadata, evidence: [], close: file.close });
    },
  });
}

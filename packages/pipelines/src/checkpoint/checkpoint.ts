import { checkChoice, didYouMean, readOptions, shownValue, UserError } from '@langevin/tensor';
import type { Evidence } from './evidence.ts';
import { namesIn, within, type CheckpointFiles } from './files.ts';
import { givenFiles } from './given-files.ts';
import { HUB_OPTIONS } from './hub/hub-option-names.ts';
import type { HubOptions } from './hub/hub-options.ts';
import { SINGLE_FILE_OPTIONS, type SingleFileOptions } from './single-file/single-file-options.ts';
import { parseModelIndex, type ModelIndex } from './model-index.ts';
import { isPlainObject } from './plain-object.ts';
import { repairConfig } from './repair-config.ts';
import { chooseWeights, type WeightChoice, type WeightChoiceOptions } from './weight-choice.ts';

/** What a component is made of: nothing of it is read beyond its configuration. */
export interface Component {
  readonly name: string;
  /** Its folder in the checkpoint; `''` for the root. */
  readonly folder: string;
  /** Its class, from the index as in diffusers, else from its own configuration. */
  readonly className: string;
  /** `config.json`, `scheduler_config.json`, `preprocessor_config.json`; empty for tokenizers, which are files. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Absent for components without weights: schedulers, tokenizers. */
  readonly weights?: WeightChoice;
}

/** A checkpoint of which names and configurations are known. */
export interface Checkpoint {
  readonly files: CheckpointFiles;
  /** Absent where the root holds one component alone. */
  readonly index?: ModelIndex;
  readonly components: ReadonlyMap<string, Component>;
  /** Components that the index lists and that are not there: `null` in the index, or without a folder. */
  readonly absent: ReadonlyMap<string, string>;
  readonly evidence: readonly Evidence[];
}

export interface OpenCheckpointOptions extends WeightChoiceOptions {
  /** How a single file is read. */
  readonly singleFile?: Omit<SingleFileOptions, 'config'> & {
    /** A folder in the layout of diffusers, or an id, for what the file lacks: tokenizers, and configurations. @default none */
    readonly config?: string | CheckpointFiles;
  };
  /** How a hub is asked, where the id of a model is given. @default as Python's `huggingface_hub` is told by variables */
  readonly hub?: HubOptions;
}

const WHERE = 'pipelines/checkpoint';
/** Every option, or the compiler complains. */
const NAMES = Object.keys({ variant: 0, missingVariant: 0, singleFile: 0, hub: 0 } satisfies Record<keyof OpenCheckpointOptions, 0>);

/** Components that a pipeline does without: their absence is noted, not refused. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'safety_checker',
  'feature_extractor',
  'image_encoder',
  'text_encoder_3',
  'tokenizer_3',
  'watermark',
]);

const CONFIGS = ['config.json', 'scheduler_config.json', 'preprocessor_config.json'] as const;
const TOKENIZER_FILES = ['tokenizer.json', 'vocab.json', 'spiece.model', 'tokenizer_config.json'] as const;

/**
 * Opens a checkpoint in the layout of diffusers: reads `model_index.json` and the configurations of its components, and decides which files
 * hold their weights. Nothing is executed, and no weight is read.
 *
 * @param given a folder, or a single file in the names of its first program, that exists; else the id of a model on a hub, `owner/name`
 *   or `owner/name@revision`; or files from elsewhere
 * @throws UserError naming the file that is missing or malformed
 * @example
 * import { mkdir, writeFile } from 'node:fs/promises';
 * import { writeSafetensors } from '@langevin/io/node';
 * await mkdir('tiny', { recursive: true });
 * await writeFile('tiny/config.json', JSON.stringify({ _class_name: 'AutoencoderKL' }));
 * const weight = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;
 * await writeSafetensors('tiny/diffusion_pytorch_model.fp16.safetensors', { weight });
 * const { components, evidence } = await openCheckpoint('tiny');
 * components.get('model')!.className; // => 'AutoencoderKL'
 * evidence[1]!.from; // => 'the only variant there is: "fp16"'
 */
export async function openCheckpoint(given: string | CheckpointFiles, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const { hub, singleFile, ...choice } = checkOptions(options);
  const files = await givenFiles(given, { hub, singleFile });
  if (!files.sizes.has('model_index.json')) return openSingle(files, choice);
  const index = parseModelIndex(await files.json('model_index.json'), `${files.label}/model_index.json`);
  const components = new Map<string, Component>();
  const absent = new Map<string, string>();
  const evidence: Evidence[] = [...(files.evidence ?? [])];
  for (const [name, entry] of index.components) {
    if (entry === null) {
      absent.set(name, 'null in model_index.json');
      continue;
    }
    if (namesIn(files, name).length === 0) {
      if (!OPTIONAL.has(name))
        throw new UserError(
          `[pipelines/checkpoint] component is missing: component=${name}, class=${entry.className}, folder=${files.label}. Download its `
            + 'folder too.',
        );
      absent.set(name, 'listed in model_index.json, without a folder');
      continue;
    }
    const component = await readComponent(files, { name, folder: name, listed: entry.className, options: choice });
    const { className, config, evidence: repairs } = repairConfig(component);
    components.set(name, Object.freeze({ ...component, className, config }));
    evidence.push(...evidenceOf(component, { listed: entry.className, derived: files.derived }), ...repairs);
  }
  for (const [name, reason] of absent) evidence.push({ component: name, what: 'component', value: 'absent', from: reason });
  return Object.freeze({ files, index, components, absent, evidence });
}

/** Options that are known and of their kinds. @throws UserError naming the first that is not */
function checkOptions(given: OpenCheckpointOptions): OpenCheckpointOptions {
  const options = readOptions(WHERE, given, NAMES);
  const { variant = null, missingVariant = 'plain', hub, singleFile } = options;
  if (variant !== null && (typeof variant !== 'string' || !/^\w[\w-]{0,63}$/u.test(variant)))
    throw new UserError(`[${WHERE}] variant is no name of one: variant=${shownValue(variant)}. Pass one such as fp16, or null.`);
  checkChoice(WHERE, { missingVariant }, ['plain', 'refuse']);
  readOptions(WHERE, hub, HUB_OPTIONS);
  readOptions(WHERE, singleFile, SINGLE_FILE_OPTIONS);
  return options;
}

/** Weights straight in the root: one model alone. */
async function openSingle(files: CheckpointFiles, options: WeightChoiceOptions): Promise<Checkpoint> {
  const names = namesIn(files, '');
  if (!names.some((name) => CONFIGS.some((config) => config === name)))
    throw new UserError(
      `[pipelines/checkpoint] not a checkpoint: folder=${files.label}, neither model_index.json nor config.json is there. Give the folder `
        + 'that has one of them.',
    );
  const component = await readComponent(files, { name: 'model', folder: '', listed: undefined, options });
  const { className, config, evidence: repairs } = repairConfig(component);
  return Object.freeze({
    files,
    components: new Map([[component.name, Object.freeze({ ...component, className, config })]]),
    absent: new Map<string, string>(),
    evidence: [...(files.evidence ?? []), ...evidenceOf(component, { listed: undefined, derived: files.derived }), ...repairs],
  });
}

async function readComponent(
  files: CheckpointFiles,
  {
    name,
    folder,
    listed,
    options,
  }: { readonly name: string; readonly folder: string; readonly listed: string | undefined; readonly options: WeightChoiceOptions },
): Promise<Component> {
  const names = namesIn(files, folder);
  const where = within(files.label, folder).replace(/\/$/u, '');
  const file = CONFIGS.find((config) => names.includes(config));
  if (file === undefined) {
    if (listed === undefined || !TOKENIZER_FILES.some((known) => names.includes(known)))
      throw new UserError(
        `[pipelines/checkpoint] configuration is missing: folder=${where}. Expected ${CONFIGS.join(', ')}, or the files of a tokenizer.`,
      );
    return Object.freeze({ name, folder, className: listed, config: Object.freeze({}) });
  }
  const config = await files.json(within(folder, file));
  if (!isPlainObject(config))
    throw new UserError(`[pipelines/checkpoint] configuration is no object: file=${where}/${file}. Correct the file.`);
  const className = listed ?? classOf(config);
  if (className === undefined)
    throw new UserError(
      `[pipelines/checkpoint] configuration does not name its class: file=${where}/${file}. Add "_class_name", or "architectures".`,
    );
  const weights = file === 'config.json' ? chooseWeights(names, { where, ...options }) : undefined;
  return Object.freeze({ name, folder, className, config, ...(weights && { weights }) });
}

/** diffusers writes `_class_name`, transformers a list. */
function classOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const own = config['_class_name'];
  if (typeof own === 'string') return own;
  const listed = config['architectures'];
  return Array.isArray(listed) && typeof listed[0] === 'string' ? listed[0] : undefined;
}

function evidenceOf(
  { name, className, weights, folder, config }: Component,
  { listed, derived }: { readonly listed: string | undefined; readonly derived: string | undefined },
): readonly Evidence[] {
  const own = classOf(config);
  const noted = own === undefined || own === className ? '' : `; its own configuration says ${own}`;
  return [
    {
      component: name,
      what: 'class',
      value: className,
      from: derived ?? `${listed === undefined ? within(folder, 'config.json') : 'model_index.json'}${noted}`,
    },
    ...(weights && derived === undefined
      ? [{ component: name, what: 'weights', value: within(folder, weights.name), from: weights.reason }]
      : []),
  ];
}

/** A component that a pipeline cannot do without. @throws UserError naming the ones that are there */
export function componentOf({ components, files }: Checkpoint, name: string): Component {
  const found = components.get(name);
  if (found !== undefined) return found;
  const known = [...components.keys()];
  throw new UserError(
    `[pipelines/checkpoint] checkpoint has no such component: component=${name}, folder=${files.label}.${didYouMean(name, known)} It has `
      + `${known.join(', ')}.`,
  );
}

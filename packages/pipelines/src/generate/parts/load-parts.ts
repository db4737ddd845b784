import type { Autoencoder, Network } from '@langevin/core';
import type { TextEncoder } from '@langevin/encoders';
import { adapted, type Adapter } from '@langevin/nn';
import { shownValue, UserError } from '@langevin/tensor';
import { adapterName, openAdapter } from '../../adapters/open-adapter.ts';
import { readTextEmbedding } from '../../adapters/read-embedding.ts';
import { readAdapter } from '../../adapters/read-adapter.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { Evidence } from '../../checkpoint/evidence.ts';
import { loadAutoencoder, loadTextEncoder, loadTokenizer } from '../../checkpoint/load-encoder.ts';
import { loadNetwork, weightEvidence, type Loaded } from '../../checkpoint/load-network.ts';
import type { AdapterChoice, EmbeddingChoice, OpenOptions, UsedAdapter, UsedEmbedding, WithParams } from '../product.ts';
import { readChoices } from '../choices.ts';
import { pixels } from './pixels.ts';
import { addEmbeddings, type PlacedEmbedding, type TextPart } from '../prompts/add-embeddings.ts';

/** The parts of a checkpoint that have weights, with adapters added. */
export interface LoadedParts {
  readonly network: Loaded<Network<unknown>>;
  /** By the names of their components; those that the checkpoint lacks are missing. */
  readonly texts: ReadonlyMap<string, LoadedText>;
  readonly autoencoder: WithParams<Autoencoder<unknown>>;
  /** The autoencoder as a component of the checkpoint; none where the network is trained on pixels. */
  readonly coder: readonly Loaded<Autoencoder<unknown>>[];
  readonly adapters: readonly UsedAdapter[];
  readonly embeddings: readonly UsedEmbedding[];
  readonly evidence: readonly Evidence[];
}

/** A text encoder with its tokenizer. */
export type LoadedText = Loaded<TextEncoder<unknown>> & TextPart;

const ADAPTERS = { most: 64, names: ['from', 'name', 'strength'] } as const;
const EMBEDDINGS = { most: 256, names: ['from', 'token'] } as const;

/**
 * Loads the parts of a checkpoint and adds adapters to them: in float32, from the weights as their files have them, each scaled by its own
 * strength. The weights of the files are not changed.
 */
export async function loadParts(
  checkpoint: Checkpoint,
  {
    network: networkName,
    encoders: names,
    autoencoder: coded = 'vae',
  }: { readonly network: string; readonly encoders: readonly string[]; readonly autoencoder?: 'vae' | 'none' },
  { adapters: choices = [], embeddings = [], hub }: Pick<OpenOptions, 'adapters' | 'embeddings' | 'hub'>,
): Promise<LoadedParts> {
  const network = await loadNetwork(checkpoint, networkName);
  const coder = coded === 'vae' ? [await loadAutoencoder(checkpoint)] : [];
  const encoders = new Map<string, Loaded<TextEncoder<unknown>>>();
  for (const name of names) if (!checkpoint.absent.has(name)) encoders.set(name, await loadTextEncoder(checkpoint, name));
  const evidence = [network, ...coder, ...encoders.values()].flatMap(weightEvidence);

  const targets = [network, ...encoders.values()].map(({ component, params }) => ({ name: component.name, params }));
  const byTarget = new Map<string, Adapter[]>(targets.map(({ name }) => [name, []]));
  const used: UsedAdapter[] = [];
  const taken = new Set<string>();
  for (const choice of readChoices<AdapterChoice>('adapters', choices, ADAPTERS)) {
    if (choice.name !== undefined && (typeof choice.name !== 'string' || choice.name.trim() === ''))
      throw new UserError(`[pipelines/model] name of an adapter is no text: name=${shownValue(choice.name)}. Pass one, or leave it out.`);
    const file = await openAdapter(choice.from, { hub });
    const name = free(choice.name ?? adapterName(file.from), taken);
    const { adapters, account } = await readAdapter({
      ...file,
      name,
      targets,
      strength: choice.strength === undefined ? 1 : choice.strength,
    });
    for (const [target, adapter] of adapters) byTarget.get(target)!.push(adapter);
    const modules = Object.entries(account.modules).map(([target, count]) => `${count} modules of ${target}`);
    used.push({ name, from: file.from, strength: choice.strength === undefined ? 1 : choice.strength });
    evidence.push({
      component: '',
      what: 'adapter',
      value: name,
      from: `${file.from}: ${account.kinds.join(', ')}, ${modules.join(', ')}`,
    });
  }
  const withOwn = <M>(part: Loaded<M>): Loaded<M> => {
    const own = byTarget.get(part.component.name)!;
    return own.length === 0 ? part : Object.freeze({ ...part, params: adapted(part.params, own) });
  };
  const words: PlacedEmbedding[] = [];
  for (const { from, token } of readChoices<EmbeddingChoice>('embeddings', embeddings, EMBEDDINGS)) {
    const file = await openAdapter(from, { hub });
    words.push({ ...readTextEmbedding(file, token), from: file.from });
    evidence.push({ component: '', what: 'word', value: words.at(-1)!.token, from: file.from });
  }
  const texts: LoadedText[] = [];
  for (const [name, encoder] of encoders)
    texts.push({ ...withOwn(encoder), tokenizer: await loadTokenizer(checkpoint, name.replace('text_encoder', 'tokenizer')) });
  return Object.freeze({
    network: withOwn(network),
    texts: new Map(addEmbeddings(texts, words).map((text) => [text.component.name, text])),
    autoencoder: coder[0] ?? { module: pixels(network.module), params: {} },
    coder,
    adapters: used,
    embeddings: words.map(({ token, from }) => ({ token, from })),
    evidence,
  });
}

/** The text encoder of a name, which the product cannot do without. @throws UserError when the checkpoint lacks it */
export function textOf({ texts }: LoadedParts, name: string): LoadedText {
  const found = texts.get(name);
  if (found !== undefined) return found;
  throw new UserError(`[pipelines/model] component is missing: component=${name}. Download its folder too.`);
}

/** Two files may be called the same; two adapters are not. */
function free(name: string, taken: Set<string>): string {
  let own = name;
  for (let i = 2; taken.has(own); i++) own = `${name} ${i}`;
  taken.add(own);
  return own;
}

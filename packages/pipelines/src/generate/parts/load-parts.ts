import type { Autoencoder, Network } from '@langevin/core';
import type { TextEncoder } from '@langevin/encoders';
import { adapted, type Adapter } from '@langevin/nn';
import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { adapterName, openAdapter } from '../../adapters/open-adapter.ts';
import { readAdapter } from '../../adapters/read-adapter.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { Evidence } from '../../checkpoint/evidence.ts';
import { loadAutoencoder, loadTextEncoder } from '../../checkpoint/load-encoder.ts';
import { loadNetwork, weightEvidence, type Loaded } from '../../checkpoint/load-network.ts';
import type { AdapterChoice, OpenOptions, UsedAdapter } from '../product.ts';

/** The parts of a checkpoint that have weights, with adapters added. */
export interface LoadedParts {
  readonly network: Loaded<Network<unknown>>;
  /** By the names of their components; those that the checkpoint lacks are missing. */
  readonly encoders: ReadonlyMap<string, Loaded<TextEncoder<unknown>>>;
  readonly autoencoder: Loaded<Autoencoder<unknown>>;
  readonly adapters: readonly UsedAdapter[];
  readonly evidence: readonly Evidence[];
}

const MOST_ADAPTERS = 64;

/**
 * Loads the parts of a checkpoint and adds adapters to them: in float32, from the weights as their files have them, each scaled by its own
 * strength. The weights of the files are not changed.
 */
export async function loadParts(
  checkpoint: Checkpoint,
  { network: networkName, encoders: names }: { readonly network: string; readonly encoders: readonly string[] },
  { adapters: choices = [], hub }: Pick<OpenOptions, 'adapters' | 'hub'>,
): Promise<LoadedParts> {
  const network = await loadNetwork(checkpoint, networkName);
  const autoencoder = await loadAutoencoder(checkpoint);
  const encoders = new Map<string, Loaded<TextEncoder<unknown>>>();
  for (const name of names) if (!checkpoint.absent.has(name)) encoders.set(name, await loadTextEncoder(checkpoint, name));
  const evidence = [network, autoencoder, ...encoders.values()].flatMap(weightEvidence);

  const targets = [network, ...encoders.values()].map(({ component, params }) => ({ name: component.name, params }));
  const byTarget = new Map<string, Adapter[]>(targets.map(({ name }) => [name, []]));
  const used: UsedAdapter[] = [];
  const taken = new Set<string>();
  for (const choice of checkChoices(choices)) {
    const file = await openAdapter(choice.from, { hub });
    const name = free(choice.name ?? adapterName(file.from), taken);
    const { adapters, account } = await readAdapter({ ...file, name, targets, strength: choice.strength ?? 1 });
    for (const [target, adapter] of adapters) byTarget.get(target)!.push(adapter);
    const modules = Object.entries(account.modules).map(([target, count]) => `${count} modules of ${target}`);
    used.push({ name, from: file.from, strength: choice.strength ?? 1 });
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
  return Object.freeze({
    network: withOwn(network),
    encoders: new Map([...encoders].map(([name, encoder]) => [name, withOwn(encoder)])),
    autoencoder,
    adapters: used,
    evidence,
  });
}

function checkChoices(given: unknown): readonly AdapterChoice[] {
  if (Array.isArray(given) && given.length <= MOST_ADAPTERS)
    return given.map((choice: unknown) => readOptions('pipelines/model', choice as AdapterChoice));
  throw new UserError(`[pipelines/model] adapters are a list of at most ${MOST_ADAPTERS}: adapters=${shownValue(given)}. Pass [{ from }].`);
}

/** Two files may be called the same; two adapters are not. */
function free(name: string, taken: Set<string>): string {
  let own = name;
  for (let i = 2; taken.has(own); i++) own = `${name} ${i}`;
  taken.add(own);
  return own;
}

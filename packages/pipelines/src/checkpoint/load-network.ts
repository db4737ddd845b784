import { findBackbone, type BackbonePlugin } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import { fitWeights, shapesOnly, type ClassPlugin, type WeightAccount } from '@langevin/nn';
import { UserError, type Generator } from '@langevin/tensor';
import { naming } from '../naming.ts';
import { componentOf, type Checkpoint, type Component } from './checkpoint.ts';
import type { Evidence } from './evidence.ts';
import { within, type WeightFile } from './files.ts';

/** A component that is built: what it computes, and its weights, which stay in their files until an engine needs them. */
export interface Loaded<M> {
  readonly module: M;
  readonly params: unknown;
  readonly component: Component;
  readonly account: WeightAccount;
  /** What its weights were taken from. */
  readonly file: Pick<WeightFile, 'stored' | 'evidence' | 'close'>;
}

/** Whatever has parameters. */
interface Initialised {
  init(generator: Generator): unknown;
}

/**
 * Builds one component of a checkpoint by the plugin of its class, and fits its weights into it: every tensor of its files is accounted
 * for.
 *
 * @throws UserError naming the file whose configuration or weights do not fit; UnsupportedError for what the class does not know
 */
export async function loadComponent<M extends Initialised>(
  { files }: Pick<Checkpoint, 'files'>,
  component: Component,
  plugin: Pick<ClassPlugin<M>, 'parse' | 'rules'>,
): Promise<Loaded<M>> {
  const { folder, weights, config } = component;
  if (weights === undefined)
    throw new UserError(
      `[pipelines/checkpoint] component has no weights: component=${component.name}, class=${component.className}. It is no network.`,
    );
  const at = `${files.label}/${within(folder, 'config.json')}`;
  const module = naming(at, () => plugin.parse(config));
  const from = within(folder, weights.name);
  const file = await files.weights(from);
  const { params, account } = fitWeights(module.init(shapesOnly), file.tensors, {
    from: `${files.label}/${from}`,
    ...(plugin.rules && { rules: plugin.rules }),
  });
  return Object.freeze({ module, params, component, account, file });
}

/** The denoising network of a checkpoint. */
export async function loadNetwork(
  checkpoint: Checkpoint,
  name: string,
  plugins?: readonly BackbonePlugin[],
): Promise<Loaded<Network<unknown>>> {
  const component = componentOf(checkpoint, name);
  return loadComponent(checkpoint, component, findBackbone(component.className, plugins));
}

/** What was found out about the weights of a component. */
export function weightEvidence({ component: { name, folder, weights }, account, file }: Loaded<unknown>): readonly Evidence[] {
  const { renamed, tied, ignored } = account;
  const from = within(folder, weights!.name);
  const reasons = [...new Set(renamed.map(({ reason }) => reason))];
  const forms = [...new Set([...file.stored.values()].map(({ form }) => form))].sort();
  return [
    ...(forms.length > 0
      ? [
          {
            component: name,
            what: 'stored as',
            value: forms.join(', '),
            from: `${from}: ${file.stored.size} tensors, decoded when they are used`,
          },
        ]
      : []),
    ...file.evidence.map((each) => ({ ...each, component: name })),
    ...(reasons.length > 0
      ? [{ component: name, what: 'names', value: `${renamed.length} spelt otherwise`, from: `${from}: ${reasons.join(', ')}` }]
      : []),
    ...tied.map((pair) => ({ component: name, what: 'weight', value: `${pair.name} is ${pair.to}`, from: `${from} lacks it` })),
    ...ignored.map((each) => ({ component: name, what: 'weight', value: `${each.name} is not read`, from: each.reason })),
  ];
}

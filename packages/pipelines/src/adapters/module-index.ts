import { namedTensors, UserError, type Tensor } from '@langevin/tensor';
import { candidates } from './spellings.ts';
import { latentDiffusionNames } from './latent-diffusion-names.ts';

/** A component of a model that an adapter may be for. */
export interface AdapterTarget {
  /** As in a checkpoint's folder: `unet`, `transformer`, `text_encoder`, `text_encoder_2`. */
  readonly name: string;
  /** Its parameters; their names are what modules of files are matched against. */
  readonly params: unknown;
}

/** Where a module of a file is in the model. */
export interface FoundModule {
  readonly target: string;
  /** Dotted name in the model. */
  readonly module: string;
  readonly weight: { readonly name: string; readonly shape: readonly number[] };
}

/** The modules of the components by every way in which files spell them. */
export interface ModuleIndex {
  /** @throws UserError where a spelling means two modules */
  readonly find: (spelt: string, components: readonly string[]) => FoundModule | undefined;
  readonly parameters: (target: string) => ReadonlyMap<string, Tensor>;
}

/** Dots and underscores are one in kohya's names, so that a name is looked up in the model's own list and never taken apart. */
const flat = (name: string): string => name.replaceAll('.', '_');

export function moduleIndex(targets: readonly AdapterTarget[]): ModuleIndex {
  const parameters = new Map(targets.map(({ name, params }) => [name, namedTensors(params)]));
  const indices = new Map([...parameters].map(([name, own]) => [name, indexOf(own)]));
  const within = (target: string, spelt: string): FoundModule | undefined => {
    const { dotted, flattened } = indices.get(target)!;
    for (const name of candidates(spelt)) {
      const module = dotted.get(name);
      if (module !== undefined) return found(target, module);
    }
    for (const name of candidates(spelt)) {
      const modules = flattened.get(flat(name));
      if (modules === undefined) continue;
      if (modules.size > 1)
        throw new UserError(
          `[pipelines/adapters] a name means several modules: name=${spelt}, modules=${[...modules].join(', ')}. Spell it with dots.`,
        );
      return found(target, [...modules][0]!);
    }
    return undefined;
  };
  const found = (target: string, module: string): FoundModule => {
    const name = `${module}.weight`;
    return { target, module, weight: { name, shape: parameters.get(target)!.get(name)!.shape } };
  };
  return {
    find: (spelt, components) => {
      const asked = components.length === 0 ? [...indices.keys()] : components.filter((name) => indices.has(name));
      for (const target of asked) {
        const hit = within(target, spelt);
        if (hit !== undefined) return hit;
      }
      return undefined;
    },
    parameters: (target) => parameters.get(target)!,
  };
}

function indexOf(parameters: ReadonlyMap<string, Tensor>): {
  readonly dotted: ReadonlyMap<string, string>;
  readonly flattened: ReadonlyMap<string, ReadonlySet<string>>;
} {
  const modules = [...parameters.keys()].filter((name) => name.endsWith('.weight')).map((name) => name.slice(0, -'.weight'.length));
  const dotted = new Map(modules.map((module) => [module, module]));
  for (const [other, module] of latentDiffusionNames(modules)) if (!dotted.has(other)) dotted.set(other, module);
  const flattened = new Map<string, Set<string>>();
  for (const [name, module] of dotted) flattened.set(flat(name), (flattened.get(flat(name)) ?? new Set()).add(module));
  return { dotted, flattened };
}

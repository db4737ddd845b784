import { namedTensors, UserError, type Tensor } from '@langevin/tensor';
import { latentDiffusionNames } from './latent-diffusion-names.ts';
import { originalTransformerNames, type OriginalModule } from './original-transformer-names.ts';
import { candidates } from './spellings.ts';

/** A component of a model that an adapter may be for. */
export interface AdapterTarget {
  /** As in a checkpoint's folder: `unet`, `transformer`, `text_encoder`, `text_encoder_2`. */
  readonly name: string;
  /** Its parameters; their names are what modules of files are matched against. */
  readonly params: unknown;
}

/** A range of the rows of a delta. */
export interface Rows {
  readonly from: number;
  readonly count: number;
}

/** A module of the model that a module of a file is, or a part of it. */
export interface FoundPiece {
  /** Dotted name in the model. */
  readonly module: string;
  /** Of its weight. */
  readonly shape: readonly number[];
  /** Which rows of the file's module are its, in its order. @default all */
  readonly rows?: readonly Rows[];
}

/** Where a module of a file is in the model. */
export interface FoundModule {
  readonly target: string;
  readonly pieces: readonly FoundPiece[];
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
    const found = (module: OriginalModule): FoundModule => ({ target, pieces: piecesOf(module, parameters.get(target)!) });
    for (const name of candidates(spelt)) {
      const module = dotted.get(name);
      if (module !== undefined) return found(module);
    }
    for (const name of candidates(spelt)) {
      const modules = flattened.get(flat(name)) ?? [];
      const different = new Set(modules.map(({ ours }) => ours.join(' and ')));
      if (different.size > 1)
        throw new UserError(
          `[pipelines/adapters] a name means several modules: name=${spelt}, modules=${[...different].join(', ')}. Spell it with dots.`,
        );
      if (modules.length > 0) return found(modules[0]!);
    }
    return undefined;
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
  readonly dotted: ReadonlyMap<string, OriginalModule>;
  readonly flattened: ReadonlyMap<string, readonly OriginalModule[]>;
} {
  const modules = [...parameters.keys()].filter((name) => name.endsWith('.weight')).map((name) => name.slice(0, -'.weight'.length));
  const dotted = new Map<string, OriginalModule>();
  const others = latentDiffusionNames(modules).map(([theirs, ours]) => ({ theirs, ours: [ours] }));
  // The model's own names go first: what another program calls so is something else.
  for (const module of [...modules.map((name) => ({ theirs: name, ours: [name] })), ...others, ...originalTransformerNames(modules)])
    if (!dotted.has(module.theirs)) dotted.set(module.theirs, module);
  const flattened = new Map<string, OriginalModule[]>();
  for (const [name, module] of dotted) flattened.set(flat(name), [...(flattened.get(flat(name)) ?? []), module]);
  return { dotted, flattened };
}

function piecesOf({ ours, swapped }: OriginalModule, parameters: ReadonlyMap<string, Tensor>): readonly FoundPiece[] {
  const shapes = ours.map((module) => parameters.get(`${module}.weight`)!.shape);
  const starts = shapes.map((_, i) => shapes.slice(0, i).reduce((total, shape) => total + (shape[0] ?? 0), 0));
  return ours.map((module, i) => {
    const shape = shapes[i]!;
    const [from, count] = [starts[i]!, shape[0] ?? 0];
    const whole = ours.length === 1 ? undefined : [{ from, count }];
    const half = count / 2;
    const rows = swapped === undefined ? whole : [half, 0].map((start) => ({ from: from + start, count: half }));
    return { module, shape, ...(rows && { rows }) };
  });
}

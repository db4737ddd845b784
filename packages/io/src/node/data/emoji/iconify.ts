import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { Image, Rgb } from '../../../images/image.ts';
import { parseWith } from '../../../json.ts';
import { readJson } from '../../read-json.ts';
import { rasterizeSvg } from '../../svg.ts';

const side = v.pipe(v.number(), v.gtValue(0), v.maxValue(8192));
const place = v.pipe(v.number(), v.minValue(-8192), v.maxValue(8192));
const frame = { left: v.optional(place), top: v.optional(place), width: v.optional(side), height: v.optional(side) };
const turns = {
  rotate: v.optional(v.pipe(v.number(), v.integer(), v.minValue(-3), v.maxValue(3))),
  hFlip: v.optional(v.boolean()),
  vFlip: v.optional(v.boolean()),
};
const hidden = v.optional(v.boolean());

/** Iconify's format of icon sets, as far as it is used: https://iconify.design/docs/types/iconify-json.html */
const setSchema = v.object({
  prefix: v.string(),
  ...frame,
  icons: v.record(v.string(), v.object({ body: v.string(), hidden, ...frame, ...turns })),
  aliases: v.optional(v.record(v.string(), v.object({ parent: v.string(), hidden, ...frame, ...turns })), () => ({})),
});
const charsSchema = v.record(v.string(), v.string());
const metadataSchema = v.object({ categories: v.optional(v.record(v.string(), v.array(v.string())), () => ({})) });

const MOST_BYTES = 64 * 1024 * 1024;

/** An icon set, as far as emoji need it. */
export interface IconSet {
  /** Names of drawings that look different, those left out that their makers hide. */
  readonly names: readonly string[];
  /** Other names of the same drawing, by its own. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Code points by name, for names that have them. */
  readonly codes: ReadonlyMap<string, string>;
  /** Category by name. */
  readonly categories: ReadonlyMap<string, string>;
  readonly draw: (name: string, form: { readonly size: number; readonly background: Rgb }) => Promise<Image>;
}

/**
 * Read the package of an Iconify set.
 *
 * @param folder of the package `@iconify-json/...`
 * @throws UserError when a file is missing or of another form
 */
export async function readIconSet(folder: string): Promise<IconSet> {
  const read = async <const Schema extends v.GenericSchema>(file: string, schema: Schema): Promise<v.InferOutput<Schema>> => {
    const path = join(folder, file);
    return parseWith(schema, await readJson(path, { maxBytes: MOST_BYTES }), `[io/emoji] icon set ${JSON.stringify(path)}`);
  };
  const set = await read('icons.json', setSchema);
  const chars = await read('chars.json', charsSchema);
  const { categories } = await read('metadata.json', metadataSchema);
  const icons = new Map(Object.entries(set.icons));
  const own = Object.entries(set.aliases).filter(([, alias]) => icons.has(alias.parent));
  const turned = own.filter(([, { hFlip, vFlip, rotate = 0 }]) => hFlip === true || vFlip === true || rotate !== 0);
  const aliases = new Map<string, string[]>();
  for (const [name, { parent, hFlip, vFlip, rotate = 0 }] of own) {
    if (hFlip !== true && vFlip !== true && rotate === 0) aliases.set(parent, [...(aliases.get(parent) ?? []), name]);
  }
  const shapes = new Map<string, Shape>([
    ...[...icons].map(([name, icon]) => [name, icon] as const),
    // Both may be turned, and turns add up.
    ...turned.map(([name, alias]) => {
      const parent = icons.get(alias.parent)!;
      return [name, { ...parent, ...alias, ...added(parent, alias) }] as const;
    }),
  ]);
  return {
    names: [...shapes].filter(([, shape]) => shape.hidden !== true).map(([name]) => name),
    aliases,
    codes: new Map(Object.entries(chars).map(([codes, name]) => [name, codes])),
    categories: new Map(Object.entries(categories).flatMap(([category, names]) => names.map((name) => [name, category] as const))),
    draw: async (name, form) => {
      const shape = shapes.get(name);
      if (shape === undefined)
        throw new UserError(`[io/emoji] icon set has no such icon: set=${set.prefix}, icon=${name}. Check the name.`);
      return rasterizeSvg(svgOf(shape, { defaults: set, size: form.size }), `${set.prefix}:${name}`, form);
    },
  };
}

type Frame = v.InferOutput<v.ObjectSchema<typeof frame, undefined>>;
type Turns = v.InferOutput<v.ObjectSchema<typeof turns, undefined>>;
type Shape = Frame & Turns & { readonly body: string; readonly hidden?: boolean | undefined };

function added(a: Turns, b: Turns): Turns {
  return {
    hFlip: (a.hFlip ?? false) !== (b.hFlip ?? false),
    vFlip: (a.vFlip ?? false) !== (b.vFlip ?? false),
    rotate: ((a.rotate ?? 0) + (b.rotate ?? 0)) % 4,
  };
}

/** Iconify's format leaves these out where they are the same for a whole set, and 16 where they are nowhere. */
function svgOf(shape: Shape, { defaults, size }: { readonly defaults: Frame; readonly size: number }): string {
  const left = shape.left ?? defaults.left ?? 0;
  const top = shape.top ?? defaults.top ?? 0;
  const width = shape.width ?? defaults.width ?? 16;
  const height = shape.height ?? defaults.height ?? 16;
  const { hFlip = false, vFlip = false, rotate = 0 } = shape;
  const [x, y] = [left + width / 2, top + height / 2];
  // Around the middle: first mirrored, then turned.
  const isTurned = hFlip || vFlip || rotate !== 0;
  const transform = `translate(${x} ${y}) rotate(${90 * rotate}) scale(${hFlip ? -1 : 1} ${vFlip ? -1 : 1}) translate(${-x} ${-y})`;
  const lying = rotate % 2 !== 0;
  const [w, h] = lying ? [height, width] : [width, height];
  const body = isTurned ? `<g transform="${transform}">${shape.body}</g>` : shape.body;
  const scale = size / Math.max(w, h);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${w * scale}" height="${h * scale}" `
    + `viewBox="${x - w / 2} ${y - h / 2} ${w} ${h}">${body}</svg>`
  );
}

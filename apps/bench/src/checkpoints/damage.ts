import { cp, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate, openModel } from '@langevin/pipelines';
import { errorKind, torchGenerator, type Engine } from '@langevin/tensor';

/** What a kind of damage came to. */
export interface DamageRow {
  readonly kind: string;
  readonly folders: number;
  /** Made a picture all the same: what was damaged is not read, or still means something. */
  readonly opened: number;
  /** Were refused with an error for the user. */
  readonly refused: number;
  /** Anything else: an error of another kind, or a picture where there should be none. */
  readonly failures: readonly string[];
}

/** One way to damage a folder; what it did, for the list of failures. */
type Damage = (folder: string, random: () => number) => Promise<string>;

interface Kind {
  readonly name: string;
  readonly count: number;
  readonly damage: Damage;
  /** Whether a picture may come of it. */
  readonly mayOpen: 'yes' | 'no';
}

const CONFIGS = ['model_index.json', 'unet/config.json', 'vae/config.json', 'text_encoder/config.json', 'scheduler/scheduler_config.json'];
const WEIGHTS = ['unet/diffusion_pytorch_model.safetensors', 'vae/diffusion_pytorch_model.safetensors', 'text_encoder/model.safetensors'];
const TOKENIZER = ['tokenizer/vocab.json', 'tokenizer/merges.txt', 'tokenizer/tokenizer_config.json', 'tokenizer/special_tokens_map.json'];
const ABSURD: readonly unknown[] = [-1, 0, 1e9, 1e308, 0.5, null, 'x', [], {}, [1e9], true, Number.MAX_SAFE_INTEGER];

const kinds = (many: number): readonly Kind[] => [
  {
    name: 'a file is missing',
    count: 12,
    mayOpen: 'yes',
    damage: (folder, random) => without(folder, pick([...CONFIGS, ...WEIGHTS, ...TOKENIZER], random)),
  },
  {
    name: 'a configuration is cut off',
    count: many,
    mayOpen: 'no',
    damage: (folder, random) => cut(folder, pick(CONFIGS, random), random),
  },
  {
    name: 'a file of weights is cut off',
    count: many,
    mayOpen: 'no',
    damage: (folder, random) => cut(folder, pick(WEIGHTS, random), random),
  },
  { name: 'an entry of a configuration is absurd', count: 4 * many, mayOpen: 'yes', damage: absurd },
  { name: 'bytes of a header of weights are others', count: 2 * many, mayOpen: 'yes', damage: headerBytes },
  {
    name: 'bytes of a file of the tokenizer are others',
    count: many,
    mayOpen: 'yes',
    damage: (folder, random) => flipped(folder, pick(TOKENIZER, random), random),
  },
  { name: 'an index of shards names a file outside', count: 6, mayOpen: 'no', damage: traversal },
  { name: 'a link leads out of the folder', count: 3, mayOpen: 'no', damage: link },
  { name: 'weights are a pickle', count: 3, mayOpen: 'no', damage: pickle },
];

/** Damaged copies of a checkpoint: each either makes a picture or is refused with an error for the user; nothing else. */
export async function damageRows(
  whole: string,
  { engine, many, scratch }: { readonly engine: Engine; readonly many: number; readonly scratch: string },
): Promise<readonly DamageRow[]> {
  const rows: DamageRow[] = [];
  for (const [number, { name, count, damage, mayOpen }] of kinds(many).entries()) {
    let opened = 0;
    let refused = 0;
    const failures: string[] = [];
    for (let i = 0; i < count; i++) {
      const folder = join(scratch, `damaged-${number}-${i}`);
      await cp(whole, folder, { recursive: true });
      const random = generator(1000 * number + i + 1);
      const what = await damage(folder, random);
      try {
        const model = await openModel(folder, { engine });
        for await (const _ of generate({ model, prompt: 'a cat', steps: 1, guidance: 1, output: 'latents' })) void _;
        await model.dispose();
        opened += 1;
        if (mayOpen === 'no') failures.push(`${what}: a picture was made`);
      } catch (error) {
        const kind = errorKind(error);
        if (kind === 'user' || kind === 'unsupported') refused += 1;
        else failures.push(`${what}: ${String((error as Error).stack ?? error).slice(0, 300)}`);
      }
      await rm(folder, { recursive: true, force: true });
    }
    rows.push({ kind: name, folders: count, opened, refused, failures });
  }
  return rows;
}

/** Numbers from 0 to 1 of a seed, of PyTorch's generator. */
function generator(seed: number): () => number {
  const torch = torchGenerator(seed);
  return () => torch.uniform(1)[0]!;
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)]!;
}

async function without(folder: string, path: string): Promise<string> {
  await rm(join(folder, path));
  return `without ${path}`;
}

async function cut(folder: string, path: string, random: () => number): Promise<string> {
  const { size } = await stat(join(folder, path));
  const left = Math.floor(random() * (size - 1));
  const file = await open(join(folder, path), 'r+');
  await file.truncate(left);
  await file.close();
  return `${path} of ${left} bytes`;
}

async function absurd(folder: string, random: () => number): Promise<string> {
  const path = pick(CONFIGS, random);
  const config = JSON.parse(await readFile(join(folder, path), 'utf8')) as Record<string, unknown>;
  const key = pick(Object.keys(config), random);
  const value = pick(ABSURD, random);
  await writeFile(join(folder, path), JSON.stringify({ ...config, [key]: value }));
  return `${path}: ${key}=${JSON.stringify(value)}`;
}

async function headerBytes(folder: string, random: () => number): Promise<string> {
  const path = pick(WEIGHTS, random);
  const file = await open(join(folder, path), 'r+');
  const length = new Uint8Array(8);
  await file.read(length, 0, 8, 0);
  const header = Number(new DataView(length.buffer).getBigUint64(0, true));
  const at = Math.floor(random() * (8 + header));
  const byte = Math.floor(random() * 256);
  await file.write(Uint8Array.of(byte), 0, 1, at);
  await file.close();
  return `${path}: byte ${at}=${byte}`;
}

async function flipped(folder: string, path: string, random: () => number): Promise<string> {
  const bytes = await readFile(join(folder, path));
  const at = Math.floor(random() * bytes.length);
  bytes[at] = Math.floor(random() * 256);
  await writeFile(join(folder, path), bytes);
  return `${path}: byte ${at}=${bytes[at]}`;
}

async function traversal(folder: string, random: () => number): Promise<string> {
  const outside = pick(
    ['../../secret.safetensors', '/etc/passwd', '..\\..\\secret.safetensors', 'a/../../x.safetensors', 'C:\\x', '\0x'],
    random,
  );
  await rm(join(folder, 'unet/diffusion_pytorch_model.safetensors'));
  const index = { metadata: { total_size: 8 }, weight_map: { 'conv_in.weight': outside, 'conv_in.bias': outside } };
  await writeFile(join(folder, 'unet/diffusion_pytorch_model.safetensors.index.json'), JSON.stringify(index));
  return `index names ${JSON.stringify(outside)}`;
}

async function link(folder: string, random: () => number): Promise<string> {
  const path = pick(WEIGHTS, random);
  const outside = `${folder}-outside.safetensors`;
  await cp(join(folder, path), outside);
  await rm(join(folder, path));
  await symlink(outside, join(folder, path));
  return `${path} is a link`;
}

async function pickle(folder: string, random: () => number): Promise<string> {
  const path = pick(WEIGHTS, random);
  await writeFile(join(folder, path), Uint8Array.of(0x80, 0x02, 0x7d, 0x71, 0x00, 0x2e));
  return `${path} is a pickle`;
}

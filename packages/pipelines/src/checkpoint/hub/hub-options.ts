import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FetchOptions } from '@langevin/io';
import { resolveFetch } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

type Environment = Readonly<Record<string, string | undefined>>;

/** How a hub is asked. Each default comes from the variable that Python's `huggingface_hub` reads for it. */
export interface HubOptions extends FetchOptions {
  /** A branch, a tag or a commit; goes before one that the id has. @default that of the id, else `main` */
  readonly revision?: string;
  /** The hub's address. @default `HF_ENDPOINT`, else https://huggingface.co */
  readonly endpoint?: string;
  /** For models that are private or gated; it is sent to the endpoint and to no other server. @default `HF_TOKEN`, else none */
  readonly token?: string;
  /** The hub's cache, which Python's library shares. @default `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else ~/.cache/huggingface/hub */
  readonly cache?: string;
  /** `offline` uses what is in the cache and fails for the rest. @default `HF_HUB_OFFLINE` */
  readonly network?: 'online' | 'offline';
  /** Where the defaults come from. @default the environment of this process */
  readonly env?: Environment;
}

export interface ResolvedHub extends Required<Omit<FetchOptions, 'signal'>> {
  readonly signal?: AbortSignal;
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** Options with their defaults. @throws UserError for one that is out of range, or a variable that is */
export function resolveHub(options: HubOptions = {}): ResolvedHub {
  const { env = process.env } = options;
  const { endpoint = env['HF_ENDPOINT']?.trim() || 'https://huggingface.co', token = env['HF_TOKEN']?.trim() || undefined } = options;
  const { cache = hubCache(env), network = isOn(env['HF_HUB_OFFLINE']) ? 'offline' : 'online' } = options;
  if (network !== 'online' && network !== 'offline')
    throw new UserError(`[pipelines/hub] option is unknown: network=${JSON.stringify(network)}. Say online or offline.`);
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '')
    throw new UserError(
      `[pipelines/hub] address of the hub is not one: endpoint=${JSON.stringify(endpoint)}. Give one of https, in HF_ENDPOINT or the `
        + 'option.',
    );
  // A secret is not shown, also not a wrong one.
  if (token !== undefined && !/^[\x21-\x7e]{1,1000}$/u.test(token))
    throw new UserError('[pipelines/hub] token is none: it has characters other than letters, digits and signs. Correct HF_TOKEN.');
  return Object.freeze({ ...resolveFetch({ ...options, cache, network }), endpoint: url.href.replace(/\/+$/u, ''), token });
}

/** Where Python's library keeps what it downloads. */
function hubCache(env: Environment): string {
  const named = (key: string): string | undefined => {
    const text = env[key]?.trim() ?? '';
    return text === '' ? undefined : resolve(text.replace(/^~(?=[/\\]|$)/u, homedir()));
  };
  const home = named('HF_HOME') ?? join(named('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return named('HF_HUB_CACHE') ?? named('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub');
}

function isOn(text: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((text ?? '').trim().toUpperCase());
}

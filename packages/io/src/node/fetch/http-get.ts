import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { UserError } from '@langevin/tensor';

const MOST_REDIRECTS = 5;
/** Silence after which a connection counts as lost. */
const SILENCE_MS = 30_000;

/** An address that may be fetched. @throws UserError when it is not one of http or https, or carries a password */
export function checkUrl(text: string, part: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    throw new UserError(`[io/fetch] address cannot be fetched: part=${part}, url=${JSON.stringify(text)}. Give one of http or https.`);
  return url;
}

/**
 * Ask for an address from a byte on, through redirects. Unlike `fetch`, it never unpacks: a file stays what its checksum is of.
 *
 * @throws UserError for an address that may not be followed; errors of the network are passed on
 */
export async function httpGet(
  start: string,
  {
    part,
    from,
    signal,
    headersFor = () => ({}),
  }: {
    readonly part: string;
    readonly from: number;
    readonly signal: AbortSignal | undefined;
    readonly headersFor?: (url: URL) => Readonly<Record<string, string>>;
  },
): Promise<IncomingMessage> {
  let url = checkUrl(start, part);
  for (let turn = 0; turn <= MOST_REDIRECTS; turn += 1) {
    const response = await ask(url, { from, signal, own: headersFor(url) });
    const { statusCode = 0, headers } = response;
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return response;
    response.destroy();
    const next = checkUrl(new URL(headers.location, url).href, part);
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw new UserError(`[io/fetch] server leads from https to http: part=${part}, url=${next.href}. Give another address.`);
    url = next;
  }
  throw new UserError(`[io/fetch] server leads on and on: part=${part}, url=${start}, redirects=${MOST_REDIRECTS}. Give another address.`);
}

function ask(
  url: URL,
  {
    from,
    signal,
    own,
  }: { readonly from: number; readonly signal: AbortSignal | undefined; readonly own: Readonly<Record<string, string>> },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...own, 'accept-encoding': 'identity', 'user-agent': 'langevin', ...(from > 0 && { range: `bytes=${from}-` }) };
    const request = (url.protocol === 'https:' ? getHttps : getHttp)(url, { headers, ...(signal && { signal }) }, resolve);
    request.setTimeout(SILENCE_MS, () => {
      request.destroy(Object.assign(new Error(`silent for ${SILENCE_MS / 1000} s`), { code: 'ETIMEDOUT' }));
    });
    request.on('error', reject);
  });
}

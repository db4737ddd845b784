import { readFileSync } from 'node:fs';

/** Of the app: source and build lie equally deep. */
export const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string })
  .version;

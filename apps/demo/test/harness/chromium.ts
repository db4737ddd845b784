import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { build, preview } from 'vite';

const EXECUTABLE = '/usr/bin/chromium';
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Below node_modules, where neither the linter nor git looks. */
const outDir = `${root}node_modules/.langevin-test/demo`;

export const NO_CHROMIUM = `no browser at ${EXECUTABLE}: the page was not tried. Install Debian's package "chromium".`;
export const hasChromium: boolean = existsSync(EXECUTABLE);

const ARGUMENTS = [
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
]; // prettier-ignore

/** A page of the demo, and what its console complained about. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** The page, built and served as `npm run demo` does it, in a browser without a window. */
export interface Demo {
  /** @param script runs before any of the page */
  readonly open: (options: BrowserContextOptions, script?: string) => Promise<OpenPage>;
  readonly close: () => Promise<void>;
}

export async function startDemo(): Promise<Demo> {
  const [browser, server] = await Promise.all([chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS }), serve()]);
  const [url] = server.resolvedUrls!.local;
  return {
    open: (options, script) => openPage(browser, url!, { ...options, script }),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

async function serve() {
  const shared = { root, configFile: `${root}vite.config.ts`, logLevel: 'error' as const };
  // No minifying: it takes longer than it saves here.
  await build({ ...shared, build: { outDir, emptyOutDir: true, minify: false } });
  return preview({ ...shared, build: { outDir }, preview: { host: '127.0.0.1', port: 0 } });
}

async function openPage(
  browser: Browser,
  url: string,
  { script, ...options }: BrowserContextOptions & { readonly script?: string | undefined },
): Promise<OpenPage> {
  // Without glides there is no picture on the way to another.
  const context = await browser.newContext({ reducedMotion: 'reduce', acceptDownloads: true, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  if (script !== undefined) await page.addInitScript(script);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

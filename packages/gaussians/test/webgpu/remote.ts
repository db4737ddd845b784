import type { Camera } from '@langevin/core';
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type {
  Cotangents,
  Gaussians,
  PhotometricRequest,
  PhotometricStep,
  Rasterizer,
  RenderGradients,
  Rendering,
  RenderOptions,
} from '@langevin/gaussians';
import { UnsupportedError, UserError } from '@langevin/tensor';
import { buildProgram } from '../program.ts';

type RenderArguments = readonly [Gaussians, Camera, (RenderOptions | undefined)?];

export type Question =
  | { readonly ask: 'start' | 'lose' | 'dispose' }
  | { readonly ask: 'render'; readonly arguments: RenderArguments }
  | { readonly ask: 'backward'; readonly number: number; readonly cotangents: Cotangents }
  | { readonly ask: 'photometric'; readonly request: PhotometricRequest };

export type Answer =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly kind: string; readonly message: string };

/** A rasterizer in a process of its own. */
export interface RemoteRasterizer extends Rasterizer {
  readonly photometric: (request: PhotometricRequest) => Promise<PhotometricStep>;
  /** Destroys the device, behind the rasterizer's back. */
  readonly lose: () => Promise<unknown>;
  /** Ends the process by leaving it nothing to do; its exit code. */
  readonly end: () => Promise<number | null>;
}

const CHROMIUM = '/usr/lib/chromium';
const DRIVER = `${CHROMIUM}/vk_swiftshader_icd.json`;

/** What Dawn needs to find SwiftShader, the Vulkan driver on the CPU that comes with Debian's Chromium. */
function swiftshader(): Readonly<Record<string, string>> {
  return existsSync(DRIVER)
    ? { VK_DRIVER_FILES: DRIVER, VK_ICD_FILENAMES: DRIVER, LD_LIBRARY_PATH: CHROMIUM, XDG_RUNTIME_DIR: '/tmp' }
    : {};
}

/** A WebGPU rasterizer, or why there is none on this machine. Where SwiftShader is installed there must be one. */
export async function remoteWebgpu(): Promise<RemoteRasterizer | { readonly reason: string }> {
  const child = fork(await buildProgram('webgpu/child.ts'), { serialization: 'advanced', env: { ...process.env, ...swiftshader() } });
  const ask = asker(child);
  try {
    const { name } = (await ask({ ask: 'start' })) as { readonly name: string };
    return remote(name, child, ask);
  } catch (error) {
    child.disconnect();
    if (error instanceof UnsupportedError && !existsSync(DRIVER))
      return { reason: `${error.message} Or install the package \`chromium\` of Debian, for its SwiftShader.` };
    throw error;
  }
}

function remote(name: string, child: ChildProcess, ask: (question: Question) => Promise<unknown>): RemoteRasterizer {
  const numbers = new WeakMap<Rendering, number>();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    name,
    kind: 'webgpu',
    render: async (...given) => {
      const { number, rendering } = (await ask({ ask: 'render', arguments: given })) as {
        readonly number: number;
        readonly rendering: Rendering;
      };
      numbers.set(rendering, number);
      return rendering;
    },
    backward: async (rendering, cotangents) =>
      (await ask({ ask: 'backward', number: numbers.get(rendering) ?? -1, cotangents })) as RenderGradients,
    photometric: async (request) => (await ask({ ask: 'photometric', request })) as PhotometricStep,
    lose: () => ask({ ask: 'lose' }),
    dispose: async () => void (await ask({ ask: 'dispose' })),
    end: () => {
      if (child.connected) child.disconnect();
      return ended;
    },
  };
}

function asker(child: ChildProcess): (question: Question) => Promise<unknown> {
  const waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>();
  let next = 0;
  child.on('message', (answer: Answer) => {
    const { resolve, reject } = waiting.get(answer.id)!;
    waiting.delete(answer.id);
    if ('value' in answer) resolve(answer.value);
    else
      reject(
        answer.kind === 'user'
          ? new UserError(answer.message)
          : answer.kind === 'unsupported'
            ? new UnsupportedError(answer.message)
            : new Error(answer.message),
      );
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process ended before it answered: code=${code}`));
  });
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.set(next, { resolve, reject });
      child.send({ id: next++, question });
    });
}

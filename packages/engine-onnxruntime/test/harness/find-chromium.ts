import { existsSync } from 'node:fs';

const FOLDER = '/usr/lib/chromium';

export interface Chromium {
  readonly executable: string;
  /** Environment under which Dawn finds SwiftShader, the Vulkan driver on the CPU that comes with the browser. */
  readonly swiftshader: Readonly<Record<string, string>>;
}

export const NO_CHROMIUM = 'skipped: no Chromium here. Install the package `chromium` of Debian to run WebGPU on its SwiftShader.';

/** Debian's Chromium, if it is installed. */
export function findChromium(): Chromium | undefined {
  const executable = '/usr/bin/chromium';
  const driver = `${FOLDER}/vk_swiftshader_icd.json`;
  if (!existsSync(executable) || !existsSync(driver)) return undefined;
  return {
    executable,
    swiftshader: { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: FOLDER, XDG_RUNTIME_DIR: '/tmp' },
  };
}

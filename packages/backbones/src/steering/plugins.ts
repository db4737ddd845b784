// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { SteeringPlugin } from './define-steering.ts';
import { controlNetPlugin } from './controlnet/plugin.ts';
import { t2iAdapterPlugin } from './t2i-adapter/plugin.ts';

export * from './controlnet/index.ts';
export * from './t2i-adapter/index.ts';

/** The steering networks that come with this package: one for each folder beside this file. */
export const steeringPlugins: readonly SteeringPlugin[] = [controlNetPlugin, t2iAdapterPlugin];

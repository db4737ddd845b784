// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import { createRegistry, type Registry } from '@langevin/core';
import type { Deformation } from '../dynamic/deformation.ts';
import { hexPlaneDeformation } from './hexplane.ts';
import { mlpDeformation } from './mlp.ts';

export * from './hexplane.ts';
export * from './mlp.ts';

/** Deformations by name, for command lines, files and plugins: one for each file of this folder. */
export const deformations: Registry<Deformation<unknown>> = /* @__PURE__ */ createRegistry<Deformation<unknown>>(
  'deformation',
  { hexplane: hexPlaneDeformation, mlp: mlpDeformation },
  {
    hexplane: ['box', 'resolution', 'frames', 'scales', 'features', 'width', 'exponent', 'penalties'],
    mlp: ['box', 'positionFrequencies', 'timeFrequencies', 'width', 'depth', 'exponent'],
  },
);

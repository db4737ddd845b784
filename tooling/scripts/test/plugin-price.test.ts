import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const GENERATOR = join(ROOT, 'tooling/scripts/generate-registry.mjs');

interface Probe {
  /** The one file that somebody writes, or all files of the one folder. */
  readonly files: Readonly<Record<string, string>>;
  /** What the generator makes of it, besides. */
  readonly registry: string;
  /** The package's entry by which users reach the family, and what shows there that the new part is known. */
  readonly entry: string;
  readonly known: string;
}

const PROBES: Readonly<Record<string, Probe>> = {
  sampler: {
    files: {
      'packages/samplers/src/solvers/price-probe.ts': `import type { Sampler } from '@langevin/core';
export function priceProbe(): Sampler {
  return { name: 'price-probe' } as Sampler;
}
`,
    },
    registry: 'packages/samplers/src/solvers/index.ts',
    entry: 'packages/samplers/src/index.ts',
    known: 'samplers',
  },
  spacing: {
    files: {
      'packages/core-schedules/src/spacings/price-probe.ts': `import type { Spacing } from '../grid/spacing.ts';
export function priceProbeSpacing(): Spacing {
  return { name: 'price-probe' } as Spacing;
}
`,
    },
    registry: 'packages/core-schedules/src/spacings/index.ts',
    entry: 'packages/core-schedules/src/index.ts',
    known: 'spacings',
  },
  process: {
    files: {
      'packages/core-schedules/src/processes/price-probe.ts': `import type { NoiseProcess } from '../noise-process.ts';
export function priceProbeProcess(): NoiseProcess {
  return { name: 'price-probe' } as NoiseProcess;
}
`,
    },
    registry: 'packages/core-schedules/src/processes/index.ts',
    entry: 'packages/core-schedules/src/index.ts',
    known: 'processes',
  },
  'loss weight': {
    files: {
      'packages/core-schedules/src/weights/price-probe.ts': `import type { LossWeight } from '../loss-weight.ts';
export function priceProbeWeight(): LossWeight {
  return { name: 'price-probe' } as LossWeight;
}
`,
    },
    registry: 'packages/core-schedules/src/weights/index.ts',
    entry: 'packages/core-schedules/src/index.ts',
    known: 'lossWeights',
  },
  'distribution of levels': {
    files: {
      'packages/core-schedules/src/distributions/price-probe.ts': `import type { NoiseDistribution } from '../noise-distribution.ts';
export function priceProbeDistribution(): NoiseDistribution {
  return { name: 'price-probe' } as NoiseDistribution;
}
`,
    },
    registry: 'packages/core-schedules/src/distributions/index.ts',
    entry: 'packages/core-schedules/src/index.ts',
    known: 'noiseDistributions',
  },
  preconditioning: {
    files: {
      'packages/core-schedules/src/preconditionings/price-probe.ts': `import type { Preconditioning } from '../preconditioning.ts';
export function priceProbePreconditioning(): Preconditioning {
  return {} as Preconditioning;
}
`,
    },
    registry: 'packages/core-schedules/src/preconditionings/index.ts',
    entry: 'packages/core-schedules/src/index.ts',
    known: 'preconditionings',
  },
  guidance: {
    files: {
      'packages/guidance/src/rules/price-probe.ts': `import type { Guidance } from '../guidance.ts';
export function priceProbe(): Guidance {
  return { name: 'price-probe' } as Guidance;
}
`,
    },
    registry: 'packages/guidance/src/rules/index.ts',
    entry: 'packages/guidance/src/index.ts',
    known: 'guidanceRules',
  },
  regulariser: {
    files: {
      'packages/latent-ae/src/regularisers/price-probe.ts': `import type { Regulariser } from '../regulariser.ts';
export function priceProbeRegulariser(): Regulariser {
  return { name: 'price-probe' } as Regulariser;
}
`,
    },
    registry: 'packages/latent-ae/src/regularisers/index.ts',
    entry: 'packages/latent-ae/src/index.ts',
    known: 'regularisers',
  },
  'reconstruction loss': {
    files: {
      'packages/latent-ae/src/losses/price-probe.ts': `import type { ReconstructionLoss } from '../reconstruction-loss.ts';
export function priceProbeLoss(): ReconstructionLoss {
  return { name: 'price-probe' } as ReconstructionLoss;
}
`,
    },
    registry: 'packages/latent-ae/src/losses/index.ts',
    entry: 'packages/latent-ae/src/index.ts',
    known: 'reconstructionLosses',
  },
  metric: {
    files: {
      'packages/metrics/src/metrics/price-probe.ts': `import type { Metric } from '../metric.ts';
export function priceProbeMetric(): Metric {
  return { name: 'price-probe' } as Metric;
}
`,
    },
    registry: 'packages/metrics/src/metrics/index.ts',
    entry: 'packages/metrics/src/index.ts',
    known: 'metrics',
  },
  strategy: {
    files: {
      'packages/gaussians/src/strategies/price-probe.ts': `import type { Strategy } from './strategy.ts';
export function priceProbeStrategy(): Strategy {
  return { name: 'price-probe' } as Strategy;
}
`,
    },
    registry: 'packages/gaussians/src/strategies/index.ts',
    entry: 'packages/gaussians/src/index.ts',
    known: 'strategies',
  },
  'data set': {
    files: {
      'packages/io/src/data/price-probe.ts': `import type { DataPlugin } from '../sources/define-data.ts';
export const priceProbeData: DataPlugin<never> = { name: 'price-probe' } as DataPlugin<never>;
`,
    },
    registry: 'packages/io/src/data/index.ts',
    entry: 'packages/io/src/node.ts',
    known: 'dataPlugins',
  },
  'splat format': {
    files: {
      'packages/io/src/splats/formats/price-probe.ts': `import type { SplatFormat } from '../format.ts';
export const priceProbeFormat: SplatFormat = { name: 'price-probe', extensions: ['.price'] } as unknown as SplatFormat;
`,
    },
    registry: 'packages/io/src/splats/formats/index.ts',
    entry: 'packages/io/src/splats.ts',
    known: 'splatFormats',
  },
  backbone: {
    files: {
      'packages/backbones/src/price-probe/plugin.ts': `import type { BackbonePlugin } from '../define-backbone.ts';
export const priceProbeBackbone: BackbonePlugin = { name: 'price-probe' } as BackbonePlugin;
`,
      'packages/backbones/src/price-probe/index.ts': `export { priceProbeBackbone } from './plugin.ts';\n`,
    },
    registry: 'packages/backbones/src/plugins.ts',
    entry: 'packages/backbones/src/index.ts',
    known: 'backbonePlugins',
  },
  'steering network': {
    files: {
      'packages/backbones/src/steering/price-probe/plugin.ts': `import type { SteeringPlugin } from '../define-steering.ts';
export const priceProbeSteering: SteeringPlugin = { name: 'price-probe' } as SteeringPlugin;
`,
      'packages/backbones/src/steering/price-probe/index.ts': `export { priceProbeSteering } from './plugin.ts';\n`,
    },
    registry: 'packages/backbones/src/steering/plugins.ts',
    entry: 'packages/backbones/src/index.ts',
    known: 'steeringPlugins',
  },
  encoder: {
    files: {
      'packages/encoders/src/price-probe/plugin.ts': `import type { EncoderPlugin } from '../define-encoder.ts';
export const priceProbeEncoder: EncoderPlugin = { name: 'price-probe' } as EncoderPlugin;
`,
      'packages/encoders/src/price-probe/index.ts': `export { priceProbeEncoder } from './plugin.ts';\n`,
    },
    registry: 'packages/encoders/src/plugins.ts',
    entry: 'packages/encoders/src/index.ts',
    known: 'encoderPlugins',
  },
  autoencoder: {
    files: {
      'packages/latent-ae/src/price-probe/plugin.ts': `import type { AutoencoderPlugin } from '../define-autoencoder.ts';
export const priceProbeAutoencoder: AutoencoderPlugin = { name: 'price-probe' } as AutoencoderPlugin;
`,
      'packages/latent-ae/src/price-probe/index.ts': `export { priceProbeAutoencoder } from './plugin.ts';\n`,
    },
    registry: 'packages/latent-ae/src/plugins.ts',
    entry: 'packages/latent-ae/src/index.ts',
    known: 'autoencoderPlugins',
  },
  deformation: {
    files: {
      'packages/gaussians/src/deformations/price-probe.ts': `import type { Deformation } from '../dynamic/deformation.ts';
export function priceProbeDeformation(): Deformation<unknown> {
  return { kind: 'price-probe' } as Deformation<unknown>;
}
`,
    },
    registry: 'packages/gaussians/src/deformations/index.ts',
    entry: 'packages/gaussians/src/index.ts',
    known: 'deformations',
  },
  command: {
    files: {
      'apps/cli/src/commands/price-probe.ts': `import { defineCommand, type CliCommand } from '../define-command.ts';
export const priceProbeCommand: CliCommand = defineCommand({ name: 'price-probe', add: (program) => void program.command('price-probe') });
`,
    },
    registry: 'apps/cli/src/commands/index.ts',
    entry: 'apps/cli/src/commands/index.ts',
    known: 'commands',
  },
};
const MEMBERS = [...new Set(Object.values(PROBES).map(({ entry }) => entry.split('/').slice(0, 2).join('/')))];

let copy: string;
let before: ReadonlyMap<string, string>;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'langevin-price-'));
  for (const member of MEMBERS) {
    cpSync(join(ROOT, member, 'src'), join(copy, member, 'src'), { recursive: true });
    // What the copy imports of other packages are those of the workspace.
    symlinkSync(join(ROOT, member, 'node_modules'), join(copy, member, 'node_modules'));
  }
  generate();
  before = contents();
  for (const { files } of Object.values(PROBES)) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), text);
    }
  }
  generate();
}, 120_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

function generate(): void {
  const { status, stderr } = spawnSync(process.execPath, [GENERATOR, '--root', copy], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** Every source file of the copy, with a checksum. */
function contents(): ReadonlyMap<string, string> {
  const files = MEMBERS.flatMap((member) =>
    readdirSync(join(copy, member, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  return new Map(files.map((file) => [file.slice(copy.length + 1), createHash('sha256').update(readFileSync(file)).digest('hex')]));
}

describe('a new part of each family', () => {
  it('costs its own file or folder: nothing else of the workspace is changed but the registries that are generated', () => {
    const after = contents();
    const changed = [...after].filter(([file, sum]) => before.get(file) !== sum).map(([file]) => file);
    const written = Object.values(PROBES).flatMap(({ files }) => Object.keys(files));
    const generated = Object.values(PROBES).map(({ registry }) => registry);
    expect(changed.sort()).toEqual([...written, ...generated].sort());
    expect([...before.keys()].filter((file) => !after.has(file))).toEqual([]);
    for (const { files } of Object.values(PROBES)) expect(new Set(Object.keys(files).map(dirname)).size).toBe(1);
  });

  it.each(Object.entries(PROBES))(
    '%s: users of the package have it by name',
    async (_, { entry, known }) => {
      const module = (await import(/* @vite-ignore */ join(copy, entry))) as Readonly<Record<string, unknown>>;
      const family = module[known] as { readonly names?: readonly string[] } & readonly { readonly name: string }[];
      expect(family.names ?? family.map(({ name }) => name)).toContain('price-probe');
    },
    60_000,
  );
});

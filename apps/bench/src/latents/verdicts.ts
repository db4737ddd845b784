import type { AutoencoderFindings, LatentsFindings } from './study.ts';

/** A statement of the lecture, and whether it holds here. */
export interface LatentsVerdict {
  readonly study: 1 | 2 | 3 | 4;
  readonly statement: string;
  readonly holds: 'yes' | 'no' | 'not measured';
  readonly numbers: string;
}

type Findings = Pick<LatentsFindings, 'autoencoders' | 'diffusions' | 'floor'>;

/** Which statements hold, from what was measured. */
export function latentsVerdicts(findings: Findings): readonly LatentsVerdict[] {
  return [...discriminator(findings), ...factors(findings), ...regularisation(findings), ...pixels(findings)];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const shown = (value: number): string => value.toPrecision(3);

function verdict(
  study: LatentsVerdict['study'],
  statement: string,
  { holds, numbers }: { readonly holds: boolean | undefined; readonly numbers: string },
): LatentsVerdict {
  return { study, statement, holds: holds === undefined ? 'not measured' : holds ? 'yes' : 'no', numbers };
}

/** With a discriminator pictures are sharper and nearer to data in features, and no nearer pixel by pixel: for each pair of seeds. */
function discriminator({ autoencoders }: Findings): readonly LatentsVerdict[] {
  const of = (kind: string) => autoencoders.filter((each) => each.kind === kind);
  const pairs = of('f4').flatMap((judged) => {
    const plain = of('f4-plain').find(({ seed }) => seed === judged.seed);
    return plain ? [{ judged, plain }] : [];
  });
  const compare = (value: (each: AutoencoderFindings) => number, better: (judged: number, plain: number) => boolean) => ({
    holds: pairs.length === 0 ? undefined : pairs.every(({ judged, plain }) => better(value(judged), value(plain))),
    numbers: pairs.map(({ judged, plain }) => `${shown(value(judged))} with, ${shown(value(plain))} without`).join('; '),
  });
  return [
    verdict(
      1,
      `high frequencies are nearer to the data's with a discriminator (${pairs.length} pairs of seeds)`,
      compare(
        ({ heldOut }) => heldOut.sharpness,
        (a, b) => Math.abs(Math.log(a)) < Math.abs(Math.log(b)),
      ),
    ),
    verdict(
      1,
      'the distance of features is less with it',
      compare(
        ({ distances }) => distances.extrapolated,
        (a, b) => a < b,
      ),
    ),
    verdict(
      1,
      'the distance of colours, outlines and texture is less with it',
      compare(
        ({ distances }) => distances.texture,
        (a, b) => a < b,
      ),
    ),
    verdict(
      1,
      'PSNR is equal or lower with it',
      compare(
        ({ heldOut }) => heldOut.psnr,
        (a, b) => a <= b + 0.05,
      ),
    ),
  ];
}

/** A reconstruction bounds a sample; smaller latents are trained and sampled faster. */
function factors({ autoencoders, diffusions }: Findings): readonly LatentsVerdict[] {
  const pairs = diffusions.flatMap(({ name, over, distances }) => {
    const coder = autoencoders.find((each) => each.name === over);
    return coder ? [{ name, samples: distances.extrapolated, reconstructions: coder.distances.extrapolated }] : [];
  });
  const rate = (over: string | undefined): number | undefined => {
    const found = diffusions.find((each) => each.over === over);
    return found && found.training.steps / found.training.cpuSeconds;
  };
  const rates = [undefined, 'f2-1', 'f4-1', 'f8-1'].map(rate);
  const known = rates.filter((value) => value !== undefined);
  return [
    verdict(2, 'samples are at least as far from the data as reconstructions', {
      holds: pairs.length === 0 ? undefined : pairs.every(({ samples, reconstructions }) => samples >= reconstructions),
      numbers: pairs.map(({ name, samples, reconstructions }) => `${name}: ${shown(samples)} and ${shown(reconstructions)}`).join('; '),
    }),
    verdict(2, 'steps a CPU second grow with the factor 1, 2, 4, 8', {
      holds: known.length < 2 ? undefined : known.every((value, i) => i === 0 || value > known[i - 1]!),
      numbers: known.map(shown).join(', '),
    }),
  ];
}

function regularisation({ autoencoders }: Findings): readonly LatentsVerdict[] {
  const kinds = ['kl-0', 'f4', 'kl-1e-3', 'kl-1'].flatMap(
    (kind) => autoencoders.find((each) => each.kind === kind && each.seed === 1) ?? [],
  );
  const falls = (values: readonly number[]): boolean | undefined =>
    values.length < 2 ? undefined : values.every((value, i) => i === 0 || value < values[i - 1]!);
  const divergences = kinds.map(({ latents }) => latents.divergence!);
  const psnrs = kinds.map(({ heldOut }) => heldOut.psnr);
  const [weakest, strongest] = [kinds[0], kinds.at(-1)];
  const codes = ['vq-64', 'vq-1024'].flatMap((kind) => autoencoders.find((each) => each.kind === kind && each.seed === 1) ?? []);
  return [
    verdict(3, 'the divergence of latents falls with the weight 0, 1e-6, 1e-3, 1', {
      holds: falls(divergences),
      numbers: divergences.map(shown).join(', '),
    }),
    verdict(3, 'reconstructions lose with the weight: PSNR falls from the weakest to the strongest', {
      holds: kinds.length < 2 ? undefined : psnrs.at(-1)! < psnrs[0]!,
      numbers: psnrs.map(shown).join(', '),
    }),
    verdict(3, 'noise decodes to pictures nearer to data with the strongest weight than with the weakest', {
      holds:
        kinds.length < 2 || !weakest?.noise || !strongest?.noise ? undefined : strongest.noise.extrapolated < weakest.noise.extrapolated,
      numbers: kinds.map(({ noise }) => (noise ? shown(noise.extrapolated) : '')).join(', '),
    }),
    verdict(3, 'more codes reconstruct better: PSNR of 64 and of 1,024', {
      holds: codes.length < 2 ? undefined : codes[1]!.heldOut.psnr > codes[0]!.heldOut.psnr,
      numbers: codes.map(({ heldOut }) => shown(heldOut.psnr)).join(', '),
    }),
  ];
}

/** At equal CPU time. */
function pixels({ diffusions }: Findings): readonly LatentsVerdict[] {
  const plain = diffusions.find(({ over }) => over === undefined);
  const latent = diffusions.filter(({ over }) => over !== undefined);
  const minutes = shown(mean(diffusions.map(({ training }) => training.cpuSeconds / 60)));
  const best = latent.length === 0 ? undefined : Math.min(...latent.map(({ distances }) => distances.extrapolated));
  return [
    verdict(4, 'at equal CPU time the best latent diffusion is nearer to the data than pixel diffusion', {
      holds: plain === undefined || best === undefined ? undefined : best < plain.distances.extrapolated,
      numbers:
        plain === undefined || best === undefined
          ? ''
          : `${shown(best)} and ${shown(plain.distances.extrapolated)}, ${minutes} CPU minutes each`,
    }),
  ];
}

import { edm, flow, karras } from '@langevin/core-schedules';
import {
  a1111Samplers,
  a1111Spacings,
  comfyuiSamplers,
  comfyuiSpacings,
  resolveSampler,
  resolveSpacing,
  type SamplerAlias,
} from '@langevin/samplers/compat';
import { samplers, defineSampler } from '@langevin/samplers';
import { describe, expect, test } from 'vitest';

describe('names of other programs', () => {
  test('ComfyUI has 42 samplers and 9 schedulers, and each is here', () => {
    expect(Object.keys(comfyuiSamplers)).toHaveLength(42);
    expect(Object.keys(comfyuiSpacings)).toHaveLength(9);
    for (const [name, { sampler }] of Object.entries(comfyuiSamplers)) expect(resolveSampler(name).sampler.name, name).toBe(sampler);
    for (const name of Object.keys(comfyuiSpacings)) expect(resolveSpacing(name).levels(flow(), { steps: 5 }), name).toHaveLength(6);
  });

  test('every label of AUTOMATIC1111 is here, with every schedule behind it or none', () => {
    for (const [label, { sampler }] of Object.entries(a1111Samplers)) {
      expect(resolveSampler(label).sampler.name, label).toBe(sampler);
      expect(resolveSampler(label).spacing).toBeUndefined();
      for (const ending of Object.keys(a1111Spacings)) {
        const resolved = resolveSampler(`${label} ${ending}`);
        expect(resolved.sampler.name, `${label} ${ending}`).toBe(sampler);
        expect(resolved.spacing, `${label} ${ending}`).toBeDefined();
      }
    }
  });

  test('capitals do not matter, and own names stay what they are', () => {
    expect(resolveSampler('dpm++ 2m karras').sampler.name).toBe('dpmpp-2m');
    for (const name of samplers.names) expect(resolveSampler(name).sampler.name).toBe(samplers.create(name).name);
    expect(resolveSampler('ddim', { options: { eta: 1 } }).sampler.stochastic).toBe(true);
    const mine = () => defineSampler({ ...samplers.create('euler'), name: 'mine' });
    expect(resolveSampler('mine', { samplers: samplers.with({ mine }) }).sampler.name).toBe('mine');
  });

  test('options of a name make of it what it is there, and notes say what is not', () => {
    // sample_deis of ComfyUI has max_order=3: three evaluations, the polynomial is of degree 2.
    expect(samplers.create('deis', comfyuiSamplers.deis.options).order).toBe(3);
    // Order 3 and its corrector: A1111's default, and ComfyUI's of both names.
    for (const name of ['UniPC', 'uni_pc', 'uni_pc_bh2']) expect(resolveSampler(name).sampler.order, name).toBe(4);
    for (const [name, { sampler, options }] of Object.entries<SamplerAlias>(comfyuiSamplers))
      expect(samplers.create(sampler, options).name, name).toBe(sampler);
    for (const name of ['dpmpp_3m_sde', 'ipndm_v', 'er_sde', 'DPM++ 3M SDE'])
      expect(resolveSampler(name).note, name).toContain('weights: "reference"');
    for (const name of ['dpmpp_3m_sde', 'ipndm_v', 'er_sde'])
      expect(() => resolveSampler(name, { options: { weights: 'reference' } })).not.toThrow();
  });

  test('some programs leave out the last level but one', () => {
    const options = { steps: 5 };
    const plain = karras().levels(edm(), { steps: 6 });
    expect(resolveSampler('dpm_2').levels(karras(), edm(), options)).toEqual([...plain.slice(0, 5), plain[6]]);
    expect(resolveSampler('euler').levels(karras(), edm(), options)).toEqual(karras().levels(edm(), options));
  });

  test('a name that is close is suggested', () => {
    expect(() => resolveSampler('dpmpp_2n')).toThrow('[samplers/names] unknown sampler: "dpmpp_2n". Did you mean "dpmpp_2m"?');
    expect(() => resolveSpacing('karas')).toThrow('[samplers/names] unknown spacing: "karas". Did you mean "karras"?');
  });
});

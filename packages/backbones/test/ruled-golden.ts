import { compareRuled, type RuledGolden, type RuledModule } from '@langevin/nn/testing';
import { expect } from 'vitest';

export type { NamedInputs as Named, RuledGolden } from '@langevin/nn/testing';

/** Outputs, and gradients of weights and inputs, are diffusers'. */
export async function expectRuledNetwork<P>(golden: RuledGolden, own: RuledModule<P>): Promise<void> {
  expect(await compareRuled(golden, own)).toEqual([]);
}

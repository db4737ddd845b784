import type { Engine } from '@langevin/tensor';
import { checkProgram, generateProgram, pastedProgram, programKinds } from '@langevin/tensor/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { PATIENT, backends } from './backends.ts';

/** `npm run evidence -- programs` takes thousands of them; a few here. */
describe.each(backends)('random programs on %s', PATIENT, (backend) => {
  let engine: Engine;
  beforeAll(async () => void (engine = await tfjsEngine({ backend })));

  test.each(programKinds)('%s', async (kind) => {
    for (let seed = 0; seed < 10; seed++) {
      const spec = generateProgram(kind, seed);
      const { findings } = await checkProgram(engine, spec);
      expect(findings, pastedProgram(spec)).toEqual([]);
    }
  });
});

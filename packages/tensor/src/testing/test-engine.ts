import type { Engine } from '../engine/engine.ts';
import { UserError } from '../errors.ts';
import { behaviours } from './behaviours.ts';
import { checkRow, type ConformanceResult } from './check-row.ts';
import { referenceEngine } from './reference/engine.ts';
import { checkBehaviour } from './run-conformance.ts';
import { conformanceRows } from './rows/index.ts';

export interface TestEngineOptions {
  /** Names of rows and behaviours that are not run, each with the reason; the test is listed as skipped with it. */
  readonly skip?: Readonly<Record<string, string>>;
  /** @default 'engine conformance' */
  readonly name?: string;
}

/**
 * Register the conformance kit as vitest tests: one for each row and behaviour. What the engine refuses with an UnsupportedError is
 * skipped, with its message as the note.
 *
 * It loads vitest when called, so that the kit itself runs where vitest is not installed: await it at the top level of a test file.
 *
 * @example
 * // not run: needs vitest
 * await testEngine(async () => referenceEngine()); // in its place, the engine that you made
 */
export async function testEngine(factory: () => Promise<Engine>, options: TestEngineOptions = {}): Promise<void> {
  const { afterAll, beforeAll, describe, expect, test } = await import('vitest');
  const skip = options.skip ?? {};
  const known = new Set([...conformanceRows, ...behaviours].map(({ name }) => name));
  const stray = Object.keys(skip).find((name) => !known.has(name));
  if (stray !== undefined)
    throw new UserError(
      `[tensor/testing] skip names no row: name="${stray}". Remove it, or take a name from conformanceRows or engineBehaviours.`,
    );

  describe(options.name ?? 'engine conformance', () => {
    const reference = referenceEngine({ precision: 'unrounded' });
    let engine: Engine;
    beforeAll(async () => void (engine = await factory()));
    afterAll(() => engine?.dispose());

    const register = (name: string, check: () => Promise<readonly ConformanceResult[]>): void => {
      test(name, async (context) => {
        if (skip[name] !== undefined) context.skip(skip[name]);
        const results = await check();
        const failures = results.filter(({ status }) => status === 'fail').map((result) => `${result.check}: ${result.error}`);
        expect(failures).toEqual([]);
        const refused = results.find(({ status }) => status === 'unsupported');
        if (refused) context.skip(refused.error);
      });
    };
    for (const row of conformanceRows) register(row.name, () => checkRow(engine, reference, row));
    for (const behaviour of behaviours) register(behaviour.name, async () => [await checkBehaviour(engine, behaviour)]);
  });
}

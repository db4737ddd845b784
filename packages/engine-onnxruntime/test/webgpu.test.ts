import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { describe, test } from 'vitest';
import { bundle } from './harness/bundle.ts';
import { trainBriefly, type Evidence } from './harness/evidence.ts';
import { expectEvidence } from './harness/expect-evidence.ts';
import { findChromium, NO_CHROMIUM } from './harness/find-chromium.ts';

const MINUTES = 60_000;

describe('onnxruntime-node on WebGPU (SwiftShader)', () => {
  test('passes the conformance kit and trains as the CPU does', { timeout: 10 * MINUTES }, async (context) => {
    const chromium = findChromium();
    if (!chromium) return context.skip(NO_CHROMIUM);
    const folder = await bundle('webgpu', 'node', { run: 'test/harness/webgpu-process.ts' });
    await promisify(execFile)(process.execPath, [`${folder}/run.js`, `${folder}/evidence.json`], {
      env: { ...process.env, ...chromium.swiftshader },
    });
    const found = JSON.parse(await readFile(`${folder}/evidence.json`, 'utf8')) as Evidence;
    const cpu = await onnxruntimeEngine({ device: 'cpu' });
    expectEvidence(found, await trainBriefly(cpu));
    await cpu.dispose();
  });
});

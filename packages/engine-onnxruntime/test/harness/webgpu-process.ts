import { writeFileSync } from 'node:fs';
import { gatherEvidence } from './evidence.ts';

// Runs in a process of its own, since the Vulkan driver is chosen by the environment the process starts with.
const [out, rows] = process.argv.slice(2);
writeFileSync(out!, JSON.stringify(await gatherEvidence('webgpu', new RegExp(rows ?? '.'))));

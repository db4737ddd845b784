import { availableDevices } from '@langevin/engine-onnxruntime';
import { gatherEvidence } from './evidence.ts';

declare global {
  var langevinEngines: { readonly availableDevices: typeof availableDevices; readonly gatherEvidence: typeof gatherEvidence };
}

globalThis.langevinEngines = { availableDevices, gatherEvidence };

import { availableDevices } from '@langevin/engine-onnxruntime';
import { gatherEvidence } from './evidence.ts';

declare global {
  var langevin: { readonly availableDevices: typeof availableDevices; readonly gatherEvidence: typeof gatherEvidence };
}

globalThis.langevin = { availableDevices, gatherEvidence };

import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { testEngine } from '@langevin/tensor/testing';

await testEngine(() => onnxruntimeEngine({ device: 'cpu', threads: 2 }), { name: 'onnxruntime-node on the CPU' });

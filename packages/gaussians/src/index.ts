// What a scene is
export { checkGaussians, PARAMETERS, rowLength, shCoefficients, type FloatArray, type Gaussians, type ParameterName, type ShDegree } from './gaussians.ts';
export { cameraPosition, checkCamera, lookAt, MAX_SIDE, type Camera } from './camera.ts';

// Drawing it
export type { Cotangents, Rasterizer, RenderGradients, Rendering, RenderOptions } from './rasterizer.ts';
export { referenceRasterizer } from './reference/reference-rasterizer.ts';

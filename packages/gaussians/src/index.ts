// What a scene is
export {
  checkGaussians,
  PARAMETERS,
  rowLength,
  shCoefficients,
  type FloatArray,
  type Gaussians,
  type ParameterName,
  type ShDegree,
} from './gaussians.ts';
// Drawing it
export type {
  BackwardOptions,
  Cotangents,
  PhotometricRequest,
  PhotometricStep,
  Rasterizer,
  RenderGradients,
  Rendering,
  RenderOptions,
  ParameterMemory,
} from './rasterizer.ts';
export { referenceRasterizer } from './reference/reference-rasterizer.ts';
export { cpuRasterizer, type CpuRasterizerOptions } from './cpu/cpu-rasterizer.ts';
export { webgpuRasterizer, type WebgpuRasterizerOptions } from './webgpu/webgpu-rasterizer.ts';
export type { GpuDevice } from './webgpu/gpu.ts';
export { createRasterizer, type CreateRasterizerOptions, type RasterizerChoice } from './create-rasterizer.ts';

// Scenes: bytes in, values out; @langevin/gaussians/node reads them from a disk
export type { DepthMap, PictureOptions, SceneFolder } from './scenes/folder.ts';
export { readScene, type ReadSceneOptions } from './scenes/read-scene.ts';
export { openScene, type OpenedScene, type OpenSceneOptions, type UnreadView } from './scenes/open-scene.ts';
export {
  scaleCamera,
  sceneExtent,
  type PointCloud,
  type SceneTimes,
  type SceneView,
  type SplatScene,
  type Vector,
} from './scenes/scene.ts';
export { movedCamera, originOf } from './scenes/origin.ts';
export { upOf } from './scenes/up.ts';
export type { LeftOutView, SourcePoints } from './scenes/source.ts';
export { holdOutGap, splitViews, type HoldOut } from './scenes/split.ts';
export { parseColmapBinary } from './scenes/colmap/binary.ts';
export { parseColmapText } from './scenes/colmap/text.ts';
export type { ColmapFiles, ColmapImage, ColmapModel } from './scenes/colmap/model.ts';
export { parseTransforms, type TransformsFrame, type TransformsModel } from './scenes/transforms.ts';
export { distort, undistort, undistortedPinhole, undistortImage, type LensCamera, type Pinhole } from './scenes/lens.ts';
export { backProject, gaussiansFromPoints, pointsFromDepth, randomPoints, type InitialiseOptions } from './scenes/initialise.ts';
export { lookedAt, pointsFromViews, type PointsFromViewsOptions } from './scenes/back-projection.ts';
export { meanSquaredDistances } from './scenes/nearest.ts';

// Losses and measures
export { createSsim, type PictureSize, type Ssim, type SsimPadding, type SsimTarget } from './losses/ssim.ts';
export { photometricLoss, type PhotometricResult } from './losses/photometric.ts';
export { depthLoss } from './losses/depth.ts';
export { addOpacityRegularizer, addScaleRegularizer } from './losses/regularizers.ts';
export { psnr, type PerceptualMetric } from './losses/metrics.ts';

// The optimiser, whose state follows the rows
export { adamStep, zeroMoments, type AdamColumns, type AdamRule, type AdamStep, type Moments } from './optimizer/adam.ts';
export {
  changeRows,
  composeRows,
  gatherRows,
  keepRows,
  type MomentsByName,
  type Population,
  type RowChange,
  type Statistics,
} from './optimizer/rows.ts';
export { DEFAULT_RATES, meansRate, type LearningRates } from './optimizer/rates.ts';

// Strategies: how the number of Gaussians changes
export * from './strategies/index.ts';
export { relocated } from './strategies/relocation.ts';
export { strategyByName } from './strategy-by-name.ts';
export type { DensifyOptions } from './strategies/densify.ts';
export type { RefineContext, Refinement, Strategy, StrategyDefaults } from './strategies/strategy.ts';

// As tensors
export {
  gaussianTensors,
  rasterizeTensors,
  type AnyRasterizer,
  type GaussianTensors,
  type RasterizedTensors,
  type RasterizeOptions,
} from './op.ts';

// Training, as tasks for the loop of @langevin/training
export { splatTask, type SplatTaskOptions } from './training/splat-task.ts';
export { trainSplats, type RunOptions, type TrainSplatsOptions } from './training/train-splats.ts';
export type { SplatState } from './training/state.ts';
export type { TrainingBackground, TrainingSettings } from './training/settings.ts';
export { SPLAT_REPORT } from './training/report.ts';
export { imageOf, pictureOf } from './training/pictures.ts';

// Several assets in one scene
export { assetTime, composeScene, type Asset } from './compose/scene.ts';
export { movingScene, type AssetTimes, type MovingScene, type PlacedAsset } from './compose/moving-scene.ts';
export { parseSceneFile, type PlacedFile } from './compose/scene-file.ts';
export { composeSimilarities, invertSimilarity, transformCamera, transformPoint, type Similarity } from './compose/similarity.ts';
export { concatGaussians, transformGaussians } from './compose/transform.ts';
export { harmonicRotations, rotateHarmonics } from './compose/rotate-sh.ts';

// Scenes in motion
export { boxOf, type Box } from './dynamic/box.ts';
export { deformationData, deformationFromData, playback } from './dynamic/data.ts';
export {
  deform,
  play,
  type Deformation,
  type DeformationConfig,
  type DeformationData,
  type MovingTensors,
  type NamedArrays,
  type Offsets,
} from './dynamic/deformation.ts';
export * from './deformations/index.ts';
export { deformationByName } from './dynamic/deformation-by-name.ts';
export { motionTask, type MotionState, type MotionTaskOptions } from './dynamic/motion-task.ts';
export { trainMotion, type TrainMotionOptions } from './dynamic/train-motion.ts';
export type { MotionSettings } from './dynamic/settings.ts';
export { movedGaussians } from './dynamic/moved-gaussians.ts';
export { stillScene } from './dynamic/still-scene.ts';

// Looking at it
export { splatRenderer, type GaussianParameters, type SplatRendererOptions } from './renderer.ts';
export { sceneBounds, turntable, type SceneBounds, type TurntableOptions } from './viewpoint.ts';

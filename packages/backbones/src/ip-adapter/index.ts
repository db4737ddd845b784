export {
  imageProjection,
  type ImageProjection,
  type ImageProjectionConfig,
  type ImageProjectionParams,
  type PerceptronProjectionParams,
  type PlainProjectionParams,
  type PlusProjectionParams,
} from './image-projection.ts';
export {
  imagePromptName,
  imagePromptScaleName,
  withImagePrompts,
  type ImagePromptedParams,
  type ImagePromptOptions,
  type IpAdapterParams,
} from './image-prompts.ts';
export { readIpAdapterFile, type IpAdapterFile } from './ip-adapter-file.ts';

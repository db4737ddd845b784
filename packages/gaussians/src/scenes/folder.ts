import type { Image } from '@langevin/io';

/** How a picture of a scene is decoded. */
export interface PictureOptions {
  readonly channels: 'rgba' | 'grey';
  /**
   * `stored`: pixels lie where the file has them, since that is what poses and calibrations refer to, whatever an EXIF tag says; `upright`:
   * turned by the tag.
   */
  readonly orientation: 'stored' | 'upright';
}

/** Files of a scene below one place: a folder on a disk, or what somebody dropped on a page. Paths have slashes and are relative to it. */
export interface SceneFolder {
  /** What the scene is called. */
  readonly name: string;
  readonly has: (path: string) => Promise<boolean>;
  /** @throws UserError when the file is missing or larger */
  readonly bytes: (path: string, options: { readonly maxBytes: number }) => Promise<Uint8Array>;
  /** A photograph or a mask. @throws UserError when it is missing or damaged */
  readonly image: (path: string, options: PictureOptions) => Promise<Image>;
  /** The numbers of a depth map. @default depth maps are left out */
  readonly depth?: (path: string) => Promise<DepthMap>;
  /** Where a path is, for messages. */
  readonly label: (path: string) => string;
  /** What lies at the top, for messages. */
  readonly names: () => Promise<readonly string[]>;
}

/** Distances along z as they are stored, [height, width]; 0 where nobody knows. */
export interface DepthMap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
}

/** Joins parts of a path; empty ones and "." do not count. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

import { createRequire } from 'node:module';
import type { Image } from '@langevin/io';
import sharp from 'sharp';

/** Takes pictures of one size in turn and makes a file of them. */
export interface Film {
  readonly add: (image: Image) => void;
  readonly finish: () => Promise<Uint8Array>;
}

interface FilmOptions {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: number;
}

/** H.264's scale of coarseness: 18 cannot be told from the picture, 33 is the encoder's own default and blurs. */
const QUANTIZATION = 20;

/** An animated GIF that runs for ever. */
export function gifFilm({ width, height, fps, frames }: FilmOptions): Film {
  const frame = width * height * 3;
  const pages = new Uint8Array(frame * frames);
  let at = 0;
  return {
    add: ({ data }) => {
      pages.set(data, at);
      at += frame;
    },
    finish: () =>
      sharp(pages, { limitInputPixels: false, raw: { width, height: height * frames, channels: 3, pageHeight: height } })
        .gif({ delay: Array.from({ length: frames }, () => Math.round(1000 / fps)), loop: 0 })
        .toBuffer(),
  };
}

/** An MP4 with H.264, which every browser plays. Sides are made even, as the format wants them, by repeating the last row and column. */
export async function mp4Film({ width, height, fps }: FilmOptions): Promise<Film> {
  const { createH264MP4Encoder } = createRequire(import.meta.url)('h264-mp4-encoder') as typeof import('h264-mp4-encoder');
  const encoder = await createH264MP4Encoder();
  const [evenWidth, evenHeight] = [width + (width % 2), height + (height % 2)];
  Object.assign(encoder, { width: evenWidth, height: evenHeight, frameRate: fps, quantizationParameter: QUANTIZATION });
  encoder.initialize();
  return {
    add: ({ data }) => {
      const rgba = new Uint8Array(4 * evenWidth * evenHeight);
      for (let y = 0; y < evenHeight; y++) {
        for (let x = 0; x < evenWidth; x++) {
          const from = 3 * (Math.min(y, height - 1) * width + Math.min(x, width - 1));
          rgba.set([data[from]!, data[from + 1]!, data[from + 2]!, 255], 4 * (y * evenWidth + x));
        }
      }
      encoder.addFrameRgba(rgba);
    },
    finish: async () => {
      encoder.finalize();
      const bytes = encoder.FS.readFile(encoder.outputFilename);
      encoder.delete();
      return bytes;
    },
  };
}

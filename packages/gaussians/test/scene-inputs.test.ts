// What people's folders are like: every format of scenes is held to the same rows.
import { cameraPosition, lookAt } from '@langevin/core';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { originOf, type SplatScene } from '@langevin/gaussians';
import { loadScene, openSceneFolder, type LoadSceneOptions } from '@langevin/gaussians/node';
import { describe, expect, it } from 'vitest';
import {
  colmapBinary,
  colmapText,
  folderOf,
  mask,
  openGl,
  picture,
  ring,
  SIZE,
  transformsJson,
  type Shot,
  type Shots,
} from './scene-inputs.ts';

const all = { holdOut: 'none' } as const;
const names = ({ train }: SplatScene): readonly string[] => train.map(({ name }) => name);

describe.each([colmapText, colmapBinary, transformsJson])('$name', (format) => {
  const written = async (scene: Shots, pictures: Readonly<Record<string, Uint8Array>>): Promise<string> =>
    folderOf({
      ...format.files({ points: [[0, 0, 1]], ...scene }),
      ...Object.fromEntries(Object.entries(pictures).map(([name, bytes]) => [join(format.pictures, name), bytes])),
    });
  const renamed = (name: string): readonly Shot[] => [{ ...ring(2)[0]!, name }, ring(2)[1]!];
  const read = (root: string, options: LoadSceneOptions = {}): Promise<SplatScene> => loadScene(root, { ...all, ...options });

  it('reads views, and says nothing where there is nothing to say', async () => {
    const shots = ring(3);
    const shot = await picture(SIZE);
    const root = await written({ shots, points: [[0, 0, 1]] }, { 'v0.png': shot, 'v1.png': shot, 'v2.png': shot });
    const scene = await read(root);
    expect(names(scene)).toEqual(['v0.png', 'v1.png', 'v2.png']);
    expect([scene.remarks, scene.leftOut, scene.origin]).toEqual([undefined, undefined, undefined]);
    expect([...scene.points!.positions, ...scene.points!.colors]).toEqual([0, 0, 1, 255, 128, 0]);
    for (const [i, { camera, image }] of scene.train.entries()) {
      camera.worldToCamera.forEach((value, at) => expect(value).toBeCloseTo(shots[i]!.camera.worldToCamera[at]!, 12));
      expect([...image.data.subarray(3, 6)]).toEqual([20, 0, 100]);
    }
  });

  it('leaves out views whose picture is missing, and names them; or refuses', async () => {
    const shot = await picture(SIZE);
    const root = await written({ shots: ring(4) }, { 'v0.png': shot, 'v3.png': shot });
    const scene = await read(root);
    expect(names(scene)).toEqual(['v0.png', 'v3.png']);
    expect(scene.leftOut?.map(({ name }) => name)).toEqual(['v1.png', 'v2.png']);
    expect(scene.remarks?.[0]).toMatch(/^2 of 4 views are left out, its picture is not .*: v1\.png, v2\.png$/);
    await expect(read(root, { unusable: 'refuse' })).rejects.toThrow(
      /^\[gaussians\/scenes\] views of the scene cannot be used: path=.*, 2 of 4 views are left out, .*: v1\.png, v2\.png\. Put the files/,
    );
  });

  it('refuses a scene without any of its pictures', async () => {
    const root = await written({ shots: ring(7) }, {});
    await expect(read(root)).rejects.toThrow(
      /no view of the scene can be used: .*7 of 7 views are left out, .*: v0\.png, v1\.png, v2\.png, v3\.png, v4\.png and 2 more/,
    );
  });

  it('takes pixels as they are stored, whatever an EXIF tag says, as poses are of those', async () => {
    const turned = await picture(SIZE, { orientation: 3, kind: 'jpeg' });
    const root = await written({ shots: renamed('a.jpg') }, { 'a.jpg': turned, 'v1.png': await picture(SIZE) });
    const { image } = (await read(root)).train[0]!;
    // Half a turn would put the last column first.
    expect(Math.abs(image.data[0]! - 0) + Math.abs(image.data[33]! - 220)).toBeLessThan(20);
  });

  it('turns a picture by its tag only where it has the shape of its camera no other way, and says so', async () => {
    const turned = await picture({ width: SIZE.height, height: SIZE.width }, { orientation: 6, kind: 'jpeg' });
    const root = await written({ shots: renamed('a.jpg') }, { 'a.jpg': turned, 'v1.png': await picture(SIZE) });
    const scene = await read(root);
    expect(scene.train[0]!.image).toMatchObject(SIZE);
    expect(scene.remarks?.at(-1)).toMatch(/^1 of 2 pictures are turned by their EXIF tag/);
  });

  it('refuses a picture of another shape than its camera', async () => {
    const root = await written(
      { shots: renamed('a.png') },
      { 'a.png': await picture({ width: 9, height: 9 }), 'v1.png': await picture(SIZE) },
    );
    await expect(read(root)).rejects.toThrow('image is not of its camera\'s shape: image "a.png" is 9x9, the camera 12x8.');
  });

  it.each([
    ['blanks', 'a  picture  of mine.png', 'a  picture  of mine.png'],
    ['backslashes', 'left\\a.png', 'left/a.png'],
    ['a path of another machine', '/home/somebody/scene/left/a.png', 'left/a.png'],
    ['a path of Windows', 'C:\\Users\\somebody\\scene\\left\\a.png', 'left/a.png'],
    ['a path that leads out and in again', '../scene/left/a.png', 'left/a.png'],
    ['no ending', 'left/a', 'left/a.jpeg'],
    ['a dot and no ending', 'left/frame.0001', 'left/frame.0001.JPG'],
  ])('finds pictures by names with %s', async (_, given, there) => {
    const root = await written({ shots: renamed(given) }, { [there]: await picture(SIZE), 'v1.png': await picture(SIZE) });
    const scene = await read(root);
    expect([scene.train.length, scene.remarks]).toEqual([2, undefined]);
  });

  it('looks at nothing outside of the folder', async () => {
    const secret = await folderOf({ 'secret.png': await picture(SIZE) });
    for (const name of [join(secret, 'secret.png'), `../${secret.split('/').at(-1)}/secret.png`]) {
      const root = await written({ shots: renamed(name) }, { 'v1.png': await picture(SIZE) });
      expect(names(await read(root))).toEqual(['v1.png']);
    }
  });

  it('finds pictures that lie beside the files of the model', async () => {
    const files = format.files({ shots: ring(2) });
    const [first] = Object.keys(files);
    const beside = await picture(SIZE);
    const root = await folderOf({ ...files, [join(dirname(first!), 'v0.png')]: beside, [join(dirname(first!), 'v1.png')]: beside });
    expect(names(await read(root))).toEqual(['v0.png', 'v1.png']);
  });

  it('takes masks in another size and refuses those of another shape', async () => {
    const shots = ring(1).map((shot) => ({ ...shot, mask: 'masks/v0.png' }));
    const shot = await picture(SIZE);
    const root = await folderOf({
      ...format.files({ shots }),
      [join(format.pictures, 'v0.png')]: shot,
      'masks/v0.png': await mask({ width: 24, height: 16 }),
    });
    const [view] = (await read(root)).train;
    expect([...view!.mask!.subarray(4, 8)]).toEqual([255, 255, 0, 0]);
    await writeFile(join(root, 'masks/v0.png'), await mask({ width: 8, height: 12 }));
    await expect(read(root)).rejects.toThrow('mask is not of the shape of its image: view "v0.png", mask 8x12, image 12x8.');
  });

  it('leaves out a view whose pose is not a number', async () => {
    const shot = await picture(SIZE);
    const root = await written({ shots: ring(3), broken: 'v1.png' }, { 'v0.png': shot, 'v1.png': shot, 'v2.png': shot });
    const scene = await read(root);
    expect(names(scene)).toEqual(['v0.png', 'v2.png']);
    expect(scene.remarks).toEqual(['1 of 3 views are left out, the pose is no pose: v1.png']);
    await expect(read(root, { unusable: 'refuse' })).rejects.toThrow('the pose is no pose: v1.png');
  });

  it.each(['SIMPLE_RADIAL', 'RADIAL'] as const)('takes the distortion of %s out', async (model) => {
    const root = await written({ shots: ring(1), model }, { 'v0.png': await picture(SIZE) });
    expect((await read(root)).train[0]!.camera.fx).not.toBeCloseTo(10, 3);
  });

  it('refuses a fisheye, which is no pinhole', async () => {
    const root = await written({ shots: ring(1), model: 'fisheye' }, { 'v0.png': await picture(SIZE) });
    await expect(read(root)).rejects.toThrow(/fisheye/i);
    await expect(read(root)).rejects.toMatchObject({ name: 'UnsupportedError' });
  });

  it('moves a scene in coordinates of a map to where float32 is fine enough', async () => {
    const around = [500_123.5, 5_000_321.25, 312] as const;
    const shots = ring(6, { around });
    const shot = await picture(SIZE);
    const point = [around[0] + 0.001, around[1] - 0.002, around[2] + 0.003] as const;
    const root = await written({ shots, points: [point] }, Object.fromEntries(shots.map(({ name }) => [name, shot])));
    const scene = await read(root);
    const origin = scene.origin!;
    expect(Math.hypot(...origin.map((value, axis) => value - around[axis]!))).toBeLessThan(5);
    expect(scene.remarks?.join()).toContain('far from the origin');
    // Places are as given, to a hundredth of a millimetre where float32 has quarters of a metre.
    for (const [i, { camera }] of scene.train.entries()) {
      const given = cameraPosition(shots[i]!.camera);
      cameraPosition(camera).forEach((value, axis) => expect(Math.abs(value + origin[axis]! - given[axis]!)).toBeLessThan(1e-5));
    }
    scene.points!.positions.forEach((value, axis) => expect(Math.abs(value + origin[axis]! - point[axis]!)).toBeLessThan(1e-5));
    expect(scene.extent).toBeCloseTo(3.3, 5);
  });

  it('says which way is up, or is told', async () => {
    const shots = ring(6);
    const shot = await picture(SIZE);
    const root = await written({ shots }, Object.fromEntries(shots.map(({ name }) => [name, shot])));
    expect((await read(root)).up).toEqual([0, 0, 1]);
    expect((await read(root, { up: [0, -2, 0] })).up).toEqual([0, -1, 0]);
    await expect(read(root, { up: [0, 0, 0] })).rejects.toThrow('up is no direction: up=[0, 0, 0].');
  });

  it('gives one view without decoding another', async () => {
    const root = await written({ shots: ring(2) }, { 'v0.png': new TextEncoder().encode('no picture'), 'v1.png': await picture(SIZE) });
    const opened = await openSceneFolder(root, all);
    expect(opened.train.map(({ name }) => name)).toEqual(['v0.png', 'v1.png']);
    expect((await opened.train[1]!.read()).image).toMatchObject(SIZE);
    await expect(opened.train[0]!.read()).rejects.toThrow('is not a PNG, JPEG or WebP image');
  });

  it('says that poses are missing where there are photographs only', async () => {
    for (const place of ['', 'images']) {
      const root = await folderOf({ [join(place, 'a.png')]: await picture(SIZE) });
      await expect(read(root)).rejects.toThrow(
        /^\[gaussians\/scenes\] photographs without poses: .* is missing, a transforms\.json or a COLMAP model in sparse\/0:/,
      );
    }
  });
});

it('a panorama says nothing of the size around it, and is moved only on a map', () => {
  const turned = (eye: readonly [number, number, number]): SplatScene['train'][number]['camera'][] =>
    [0, 1, 2, 3].map((i) => {
      const target = [eye[0] + Math.cos(i), eye[1] + Math.sin(i), eye[2]] as const;
      return lookAt({ ...SIZE, fx: 10, fy: 10, cx: 6, cy: 4, eye, target, up: [0, 0, 1] });
    });
  expect(originOf(turned([0, 0, 3]))).toBeUndefined();
  expect(originOf(turned([40, 30, 3]))).toBeUndefined();
  expect(originOf(turned([500_123.5, 5_000_321.25, 312]))).toEqual([500_124, 5_000_321, 312]);
});

describe('COLMAP', () => {
  const shots = ring(5);
  const pictures = async (): Promise<Record<string, Uint8Array>> => {
    const shot = await picture(SIZE);
    return Object.fromEntries(shots.map(({ name }) => [join('images', name), shot]));
  };

  it.each([colmapText, colmapBinary])('$name: of several models, the largest is read and the others are named', async (format) => {
    const small = format.files({ shots: shots.slice(0, 2) });
    const large = Object.fromEntries(Object.entries(format.files({ shots })).map(([path, bytes]) => [path.replace('/0/', '/2/'), bytes]));
    const root = await folderOf({ ...small, ...large, ...(await pictures()) });
    const scene = await loadScene(root, all);
    expect(scene.train.length).toBe(5);
    expect(scene.remarks?.[0]).toBe('of 2 COLMAP models the largest is read, sparse/2 with 5 images; left are sparse/0 with 2');
    expect((await loadScene(root, { ...all, model: 'sparse/0' })).train.length).toBe(2);
    expect((await loadScene(join(root, 'sparse/0'), all)).train.length).toBe(2);
    await expect(loadScene(root, { model: 'sparse/1' })).rejects.toThrow('no COLMAP model there: model="sparse/1"');
  });

  it('text without the lines of points loses no view', async () => {
    const files = colmapText.files({ shots });
    const bare = (files['sparse/0/images.txt'] as string).replaceAll(/^1\.5 2\.5 -1\n/gm, '');
    const root = await folderOf({ ...files, 'sparse/0/images.txt': bare, ...(await pictures()) });
    expect((await loadScene(root, all)).train.length).toBe(5);
    // Some with, some without, some empty.
    const mixed = bare.split('\n').map((line, i) => (i % 3 === 0 ? line : i % 3 === 1 ? `${line}\n` : `${line}\n1 2 3 4 5 6`));
    await writeFile(join(root, 'sparse/0/images.txt'), mixed.join('\n'));
    expect((await loadScene(root, all)).train.length).toBe(5);
    await writeFile(join(root, 'sparse/0/images.txt'), `${bare}1 2 3 4\n1 2\n`);
    await expect(loadScene(root, all)).rejects.toThrow('images.txt line 7: an image needs 10 entries, found 4.');
  });

  it('cameras that no image uses may be of any kind, and those that are no numbers cost only their views', async () => {
    const files = colmapText.files({ shots });
    const cameras = `${files['sparse/0/cameras.txt'] as string}2 FULL_OPENCV 12 8 1 2 3\n3 PINHOLE 12 8 nan nan nan nan\n`;
    const root = await folderOf({ ...files, 'sparse/0/cameras.txt': cameras, ...(await pictures()) });
    expect((await loadScene(root, all)).train.length).toBe(5);
    const images = (files['sparse/0/images.txt'] as string).replace(' 1 v2.png', ' 3 v2.png');
    await writeFile(join(root, 'sparse/0/images.txt'), images);
    const scene = await loadScene(root, all);
    expect(scene.train.length).toBe(4);
    expect(scene.remarks?.[0]).toMatch(/^1 of 5 views are left out, camera 3 cannot be used: camera has impossible numbers: fx=NaN/);
    await writeFile(join(root, 'sparse/0/images.txt'), images.replace(' 1 v3.png', ' 2 v3.png'));
    await expect(loadScene(root, all)).rejects.toThrow('camera model is not read: model=FULL_OPENCV');
  });

  it('begins without points where the model has none', async () => {
    const root = await folderOf({ ...colmapBinary.files({ shots }), ...(await pictures()) });
    const scene = await loadScene(root, all);
    expect([scene.points, scene.remarks]).toEqual([undefined, ['the model has no points']]);
  });
});

describe('transforms.json', () => {
  const shots = ring(4);
  const write = async (edit: (json: { frames: Record<string, unknown>[] } & Record<string, unknown>) => void): Promise<string> => {
    const json = JSON.parse(transformsJson.files({ shots })['transforms.json'] as string) as Parameters<typeof edit>[0];
    edit(json);
    const shot = await picture(SIZE);
    return folderOf({ 'transforms.json': JSON.stringify(json), ...Object.fromEntries(shots.map(({ name }) => [name, shot])) });
  };

  it.each([
    ['is_fisheye', true],
    ['latlong', true],
    ['equirectangular', true],
    ['ftheta_p0', 0.5],
  ])('refuses the lens that %s says, of the file or of one frame', async (key, value) => {
    const message = `lens is not read: ${key}=${String(value)}.`;
    await expect(loadScene(await write((json) => void (json[key] = value)))).rejects.toThrow(message);
    await expect(loadScene(await write((json) => void (json.frames[2]![key] = value)))).rejects.toThrow(`frames[2]: ${message}`);
    if (value === true) expect((await loadScene(await write((json) => void (json[key] = false)), all)).train.length).toBe(4);
  });

  it('refuses mirrored poses', async () => {
    const mirrored = openGl(shots[1]!.camera).map(([x, ...rest]) => [-x!, ...rest]);
    await expect(loadScene(await write((json) => void (json.frames[1]!['transform_matrix'] = mirrored)))).rejects.toThrow(
      'frames[1]: transform_matrix is mirrored, its rotation has determinant -1',
    );
  });

  it('uses the frames that its lists name, and says how many are in none', async () => {
    const root = await write((json) => {
      json['train_filenames'] = ['./v0.png', 'v1.png'];
      json['val_filenames'] = ['v3.png', 'v9.png'];
    });
    const scene = await loadScene(root);
    expect([names(scene), scene.test.map(({ name }) => name)]).toEqual([['v0.png', 'v1.png'], ['v3.png']]);
    expect(scene.remarks).toEqual([
      '1 frames of transforms.json are in none of its lists of names and are not used',
      '1 names that transforms.json holds out are of no frame, the first is v9.png',
    ]);
  });

  it('a view whose mask is missing would learn what was masked: it is left out', async () => {
    const scene = await loadScene(await write((json) => void (json.frames[0]!['mask_path'] = 'masks/v0.png')), all);
    expect(scene.remarks).toEqual(['1 of 4 views are left out, its mask is not where transforms.json says: v0.png']);
  });

  it("of two frames whose names end alike, neither is given a picture that may be the other one's", async () => {
    const root = await write((json) => {
      json.frames[0]!['file_path'] = '/a/left/v1.png';
      json.frames[1]!['file_path'] = '/a/right/v1.png';
    });
    const scene = await loadScene(root, all);
    expect(names(scene)).toEqual(['v2.png', 'v3.png']);
    expect(scene.remarks?.[0]).toContain('and others have the same name: /a/left/v1.png, /a/right/v1.png');
  });

  it('frames with times are a scene in motion, and that is said', async () => {
    const root = await write((json) => json.frames.forEach((frame, i) => (frame['time'] = 10 + i)));
    const scene = await loadScene(root, all);
    expect(scene.times).toEqual({ start: 10, end: 13 });
    expect(scene.remarks).toEqual([
      'the scene moves: its views have times, from 10 to 13; trained as one that stands still, what moves is blurred',
    ]);
  });

  it("links that lead out are the owner's own, and folders in place of pictures are said", async () => {
    const root = await write(() => {});
    const outside = await folderOf({ 'v0.png': await picture(SIZE) });
    await rm(join(root, 'v0.png'));
    await symlink(join(outside, 'v0.png'), join(root, 'v0.png'));
    expect((await loadScene(root, all)).train.length).toBe(4);
    await rename(join(root, 'v1.png'), join(root, 'x.png'));
    await mkdir(join(root, 'v1.png'));
    await expect(loadScene(root, all)).rejects.toThrow('is not a regular file');
  });
});

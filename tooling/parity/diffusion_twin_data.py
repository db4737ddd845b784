"""The data sets of the twin, from their official files: uint8 pictures [items, channels, height, width] and labels [items]."""
import gzip
import os
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(data, split=None):
    """The data set of an entry `data` of a training configuration."""
    folder = pathlib.Path(data.get("folder", pathlib.Path(os.environ.get("LANGEVIN_DATA", ROOT / "../shared/data")) / data["name"]))
    split = split or data.get("split", "train")
    if data["name"] == "mnist":
        prefix = {"train": "train", "test": "t10k"}[split]
        return idx(folder / f"{prefix}-images-idx3-ubyte.gz")[:, None], idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    if data["name"] == "cifar10":
        names = sorted(folder.glob("data_batch_*.bin")) if split == "train" else [folder / "test_batch.bin"]
        rows = np.concatenate([np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 3073) for path in names])
        return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0].astype(np.int64)
    raise SystemExit(f"[twin/data] data set is not known here: data.name={data['name']}. Known: mnist, cifar10.")


def idx(path):
    """An array of bytes in the IDX format: two zeros, the kind of number (8: bytes), the number of axes, their sizes, the bytes."""
    content = gzip.decompress(path.read_bytes())
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"[twin/data] not an IDX file of bytes: path={path}. Give the official file.")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4).astype(int)
    values = np.frombuffer(content, np.uint8, int(shape.prod()), 4 + 4 * axes).reshape(shape)
    return values.astype(np.int64) if axes == 1 else values


def in_order(order, batch_size, step):
    """Numbers of the items of batch after batch, from those of a list on, which has to be long enough."""
    for first in range(step * batch_size, len(order) - batch_size + 1, batch_size):
        yield order[first:first + batch_size], (0, first + batch_size)
    raise SystemExit("[twin/data] the order that was given is too short. Give the items of all steps.")


def batches(count, batch_size, seed, epoch=0, index=0):
    """Numbers of the items of batch after batch; each pass is in an order of its own, which depends on the seed alone."""
    while True:
        order = np.random.Generator(np.random.PCG64([seed, epoch])).permutation(count)
        while index + batch_size <= count:
            yield order[index:index + batch_size], (epoch, index + batch_size)
            index += batch_size
        epoch, index = epoch + 1, 0

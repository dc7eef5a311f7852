# SPDX-License-Identifier: BSD-3-Clause
"""Reads a checkpoint of the engine (workloads/engine/checkpoint.c).

    values(PATH)  {name: float32 array} of the parameters and the states
"""
import struct
import zlib

import numpy as np

VERSION, VALUE, STATE = 1, 0, 3
HEAD = struct.Struct("=8sIIQQ")
ENTRY = struct.Struct("=64s16sIi5q")


def values(path):
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < HEAD.size + 4 or data[:8] != b"hpcai5ck":
        raise ValueError(f"{path} is not a checkpoint of hpcai500")
    _, version, entries, _, size = HEAD.unpack_from(data)
    if version != VERSION or size != len(data):
        raise ValueError(f"{path} is cut, or of another version or byte order")
    if zlib.crc32(data[:-4]) != struct.unpack("=I", data[-4:])[0]:
        raise ValueError(f"{path} is damaged: its CRC is wrong")
    at = HEAD.size + entries * ENTRY.size
    out = {}
    for i in range(entries):
        name, _, kind, dims, *shape = ENTRY.unpack_from(data, HEAD.size + i * ENTRY.size)
        shape = shape[:dims]
        count = int(np.prod(shape))
        if kind in (VALUE, STATE):
            name = name.rstrip(b"\0").decode()
            out[name] = np.frombuffer(data, np.float32, count, at).reshape(shape)
        at += 4 * count
    return out

"""Biovision Hierarchy (BVH) files: a skeleton of offsets, then one line of channel values a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from hri.core.hierarchy import Tree

LARGEST = 512 * 2**20
"""Bytes of the largest file that is read; a minute of 60 joints at 120 frames a second has about 12 million."""
KINDS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")


def read(path: Path, metres: float = 0.01) -> tuple[tuple[str, ...], Tree, float, Float[np.ndarray, "T J 3"]]:
    """Joints, tree, frames a second, and where each joint is: metres, z up (files have y up). End sites are left out.

    A joint's position channels stand in place of its offset; rotations act in the order of the channels, the first
    outermost: R = R1 R2 R3, and child = parent + R_parent offset.

    Args:
        path: The file.
        metres: What one unit of the file is; 0.01 for centimetres.

    Raises:
        OSError: the file is not there.
        ValueError: not a BVH file, or a truncated one.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST >> 20} MB; cut it into shorter recordings")
    head, motion, tail = path.read_text(encoding="utf-8", errors="replace").partition("MOTION")
    words = head.split()
    if not motion or words[:1] != ["HIERARCHY"]:
        raise ValueError(f"{path} is not a BVH file: it does not have a HIERARCHY and a MOTION part")
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[int, str]] = []
    open_joints: list[int] = []  # -2 stands for an end site
    following = -2
    at = 1
    try:
        while at < len(words):
            word = words[at]
            if word in ("ROOT", "JOINT"):
                if word == "ROOT" and names:
                    raise ValueError("it has several bodies")
                names.append(words[at + 1])
                parents.append(open_joints[-1] if open_joints else -1)
                offsets.append([0.0, 0.0, 0.0])
                following, at = len(names) - 1, at + 2
            elif word == "End":
                following, at = -2, at + 2
            elif word == "{":
                open_joints.append(following)
                at += 1
            elif word == "}":
                open_joints.pop()
                at += 1
            elif word == "OFFSET":
                if open_joints[-1] >= 0:
                    offsets[open_joints[-1]] = [float(number) for number in words[at + 1 : at + 4]]
                at += 4
            elif word == "CHANNELS":
                count = int(words[at + 1])
                kinds = words[at + 2 : at + 2 + count]
                if unknown := [kind for kind in kinds if kind not in KINDS]:
                    raise ValueError(f"channel {unknown[0]} is unknown")
                channels += [(open_joints[-1], kind) for kind in kinds]
                at += 2 + count
            else:
                raise ValueError(f"{word[:40]!r} is not expected")
        tree = Tree(tuple(parents))
        values = tail.split()
        if values[0] != "Frames:" or values[2:4] != ["Frame", "Time:"]:
            raise ValueError("its MOTION part does not begin with Frames and Frame Time")
        frames, seconds = int(values[1]), float(values[4])
        numbers = np.array(values[5:], dtype=np.float64)
        if seconds <= 0 or frames < 1:
            raise ValueError("it has no frames")
        if numbers.size != frames * len(channels):
            raise ValueError(f"it promises {frames} frames and holds {numbers.size / max(len(channels), 1):.1f}")
    except (IndexError, ValueError) as error:
        why = str(error) if isinstance(error, ValueError) else "it ends too early"
        raise ValueError(f"{path} cannot be read as BVH: {why}; get it again, or export it anew") from None
    placed = _place(tree, np.array(offsets), channels, numbers.reshape(frames, -1))
    upright = np.stack([placed[..., 0], -placed[..., 2], placed[..., 1]], axis=-1)
    return tuple(names), tree, 1 / seconds, (metres * upright).astype(np.float32)


def _place(tree: Tree, offsets: np.ndarray, channels: list[tuple[int, str]], numbers: np.ndarray) -> np.ndarray:
    """Forward kinematics: [T, J, 3] in the file's own units and axes."""
    frames = len(numbers)
    moves = np.broadcast_to(offsets, (frames, *offsets.shape)).copy()
    turns = np.broadcast_to(np.eye(3), (frames, tree.size, 3, 3)).copy()
    for column, (joint, kind) in enumerate(channels):
        axis = "XYZ".index(kind[0])
        if kind.endswith("position"):
            moves[:, joint, axis] = numbers[:, column]
        else:
            turns[:, joint] = turns[:, joint] @ _rotation(axis, np.radians(numbers[:, column]))
    places = np.empty_like(moves)
    for joint, parent in enumerate(tree.parents):  # a parent comes before its children
        if parent < 0:
            places[:, joint] = moves[:, joint]
        else:
            places[:, joint] = places[:, parent] + np.einsum("tab,tb->ta", turns[:, parent], moves[:, joint])
            turns[:, joint] = turns[:, parent] @ turns[:, joint]
    return places


def _rotation(axis: int, angle: np.ndarray) -> Float[np.ndarray, "T 3 3"]:
    """By ``angle`` radians [T] about one axis, counter-clockwise seen from its tip."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turned = np.zeros((len(angle), 3, 3))
    turned[:, axis, axis] = 1
    turned[:, first, first] = turned[:, second, second] = np.cos(angle)
    turned[:, second, first] = np.sin(angle)
    turned[:, first, second] = -np.sin(angle)
    return turned

"""Biovision Hierarchy (BVH) files: a skeleton of offsets, then one line of channel values a frame.

Files are taken as programs write them: keywords in any case, names with spaces and prefixes, a byte order mark, end
sites with channels, a frame more or less than announced. What had to be guessed is said.

Read here rather than by pybvh (0.9.0), which was tried on such files: it reads names with spaces, a byte order mark and
keywords in any case, and refuses endings in capitals, end sites with channels, a frame time of 0 and a row too many.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from hri.core.hierarchy import Tree
from hri.core.node_names import printable

LARGEST = 512 * 2**20
"""Bytes of the largest file that is read; a minute of 60 joints at 120 frames a second has about 12 million."""
KINDS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
_KINDS = {kind.lower(): kind for kind in KINDS}
_END = -2
"""Stands for an end site among joints; what it has belongs to nobody."""


def read(
    path: Path, metres: float = 0.01, fps: float | None = None, say: Callable[[str], object] = lambda _: None
) -> tuple[tuple[str, ...], Tree, float, Float[np.ndarray, "T J 3"]]:
    """Joints, tree, frames a second, and where each joint is: metres, z up (files have y up). End sites are left out.

    A joint's position channels stand in place of its offset, unless they are zero throughout, as programs write them
    that give every joint six channels; rotations act in the order of the channels, the first outermost: R = R1 R2 R3,
    and child = parent + R_parent offset.

    Args:
        path: The file.
        metres: What one unit of the file is; 0.01 for centimetres.
        fps: Frames a second, where the file is wrong about them or does not say.
        say: Called with a sentence for everything that had to be guessed.

    Raises:
        OSError: the file is not there.
        ValueError: not a BVH file, a truncated one, or one without a rate.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST >> 20} MB; cut it into shorter recordings")
    parts = re.split(r"^[ \t]*MOTION[ \t]*$", _text(path.read_bytes()), maxsplit=1, flags=re.IGNORECASE | re.MULTILINE)
    if len(parts) < 2 or not re.match(r"\s*HIERARCHY\b", parts[0], re.IGNORECASE):
        raise ValueError(f"{path} is not a BVH file: it does not have a HIERARCHY and a MOTION part")
    try:
        names, tree, offsets, channels = _skeleton(parts[0])
        announced, seconds, values = _motion(parts[1])
        width = len(channels)
        frames = values.size // max(width, 1)
        if not frames or values.size != frames * width or frames < announced - 1:
            raise ValueError(f"it promises {announced} frames and holds {values.size / max(width, 1):.1f}")
    except (IndexError, ValueError) as error:
        why = str(error) if isinstance(error, ValueError) else "it ends too early"
        raise ValueError(f"{path} cannot be read as BVH: {why}; get it again, or export it anew") from None
    if not (seconds > 0 or fps):
        raise ValueError(
            f"{path} has a frame time of {max(seconds, 0):g}, so nobody knows how fast its {frames} frames are; give "
            "their rate with --fps, such as --fps 30"
        )
    if frames != announced:
        say(f"{path.name} announces {announced} frames and holds {frames}: all {frames} are read")
    if unheard := sum(joint == _END for joint, _ in channels):
        say(f"{path.name} has {unheard} channels of end sites, which move no joint: they are left out")
    placed = _place(tree, offsets, channels, values.reshape(frames, width), path.name, say)
    upright = np.stack([placed[..., 0], -placed[..., 2], placed[..., 1]], axis=-1)
    return names, tree, fps or 1 / seconds, (metres * upright).astype(np.float32)


def _text(content: bytes) -> str:
    """Whatever the encoding: with a byte order mark the one that it says, else UTF-8, else that of Windows."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _skeleton(text: str) -> tuple[tuple[str, ...], Tree, np.ndarray, list[tuple[int, str]]]:
    """Names, tree, offsets [J, 3], and of each channel the joint and the kind.

    A name reaches to the end of its line, or to the brace that opens its joint.
    """
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[int, str]] = []
    open_joints: list[int] = []
    following = _END
    words = re.findall(r"[{}]|\b(?:ROOT|JOINT|END)\b[^{}\n]*|[^\s{}]+", text, re.IGNORECASE)
    at = 1
    while at < len(words):
        word, *name = words[at].split(None, 1)
        if word.upper() in ("ROOT", "JOINT", "END") and not name and words[at + 1] != "{":
            at, name = at + 1, [words[at + 1]]
        match word.upper():
            case "ROOT" | "JOINT":
                if word.upper() == "ROOT" and names:
                    raise ValueError("it has several bodies")
                names.append(printable(*name) or f"joint {len(names)}")
                parents.append(open_joints[-1] if open_joints else -1)
                if parents[-1] == _END:
                    raise ValueError(f"{names[-1]} hangs on an end site")
                offsets.append([0.0, 0.0, 0.0])
                following, at = len(names) - 1, at + 1
            case "END" | "ENDSITE":
                following, at = _END, at + 1
            case "{":
                open_joints.append(following)
                at += 1
            case "}":
                open_joints.pop()
                at += 1
            case "OFFSET":
                numbers = [float(number) for number in words[at + 1 : at + 4]]
                if open_joints[-1] != _END:
                    offsets[open_joints[-1]] = numbers
                at += 4
            case "CHANNELS":
                count = int(words[at + 1])
                kinds = words[at + 2 : at + 2 + count]
                if unknown := [kind for kind in kinds if kind.lower() not in _KINDS]:
                    raise ValueError(f"channel {unknown[0]} is unknown")
                channels += [(open_joints[-1], _KINDS[kind.lower()]) for kind in kinds]
                at += 2 + count
            case _:
                raise ValueError(f"{word[:40]!r} is not expected")
    return tuple(names), Tree(tuple(parents)), np.array(offsets), channels


def _motion(text: str) -> tuple[int, float, np.ndarray]:
    """Frames that are announced, seconds of each (0 where that is not said), and all numbers."""
    head = re.match(r"\s*Frames\s*:\s*(\d+)\s*(?:Frame\s*Time\s*:\s*(\S+)[ \t]*)?(?:\n|$)", text, re.IGNORECASE)
    if head is None:
        raise ValueError("its MOTION part does not begin with Frames and Frame Time")
    missing = re.compile(r"-?\b(?:\d\.#\w+|nan(?:\(\w+\))?)", re.IGNORECASE)  # as Windows writes what is no number
    values = np.array(missing.sub("nan", text[head.end() :]).split(), dtype=np.float64)
    return int(head[1]), float(head[2] or 0), values


def _place(
    tree: Tree,
    offsets: np.ndarray,
    channels: list[tuple[int, str]],
    numbers: np.ndarray,
    name: str,
    say: Callable[[str], object],
) -> np.ndarray:
    """Forward kinematics: [T, J, 3] in the file's own units and axes."""
    frames = len(numbers)
    moves = np.broadcast_to(offsets, (frames, *offsets.shape)).copy()
    turns = np.broadcast_to(np.eye(3), (frames, tree.size, 3, 3)).copy()
    placed: dict[int, list[int]] = {joint: [] for joint in range(tree.size)}
    for column, (joint, kind) in enumerate(channels):
        if joint != _END and kind.endswith("position"):
            placed[joint].append(column)
    idle = {joint for joint, columns in placed.items() if joint and columns and not numbers[:, columns].any()}
    if any(offsets[joint].any() for joint in idle):
        say(f"{name} has positions of {len(idle)} joints that are always zero: their offsets stand")
    if not numbers[:, placed[0]].any():
        say(f"{name} does not say where its root is: the body moves on the spot")
    for column, (joint, kind) in enumerate(channels):
        if joint == _END:
            continue
        axis = "XYZ".index(kind[0])
        if not kind.endswith("position"):
            turns[:, joint] = turns[:, joint] @ _rotation(axis, np.radians(numbers[:, column]))
        elif joint not in idle:
            moves[:, joint, axis] = numbers[:, column]
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

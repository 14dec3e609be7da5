"""What readers make of files, before it is brought into the order that a model needs; and what a caller may decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float

from hri.core.limits import Between, check_limits
from hri.data.motion import Split

TABLES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
EdgeOrder = Literal["", "nri", "dnri"]
ENDINGS = (".npz", ".npy", *TABLES)
"""Of files that are read."""


@dataclass(frozen=True)
class Choices:
    """What a caller may decide about data of their own."""

    tree: str = "file"
    """How the objects hang together: as the file says, or flat where it says nothing (file); without a hierarchy
    (flat); proposed from how they move (cluster); or the parent of each object but the first, as in 0,0,1,1."""
    groups: int | None = None
    """Of a proposed tree: how many groups; by default as the data suggest."""
    objects: tuple[str, ...] = ()
    """Only these, by name; by default all."""
    fill: Annotated[int, Between(0, 1000)] = 5
    """Gaps of up to so many frames are filled with a straight line; at longer ones a sequence is cut."""
    resample: Annotated[float, Between(0.0, 1e6)] = 0.0
    """Frames a second to bring all sequences to; 0: as they are."""
    frame_rate: Annotated[float, Between(0.0, 1e6)] = 0.0
    """Frames a second, where the file does not say it."""
    unit: str = ""
    """Of positions, such as mm, where the file does not say it."""

    def __post_init__(self) -> None:
        check_limits(self)


USUAL = Choices()


@dataclass(frozen=True)
class RawSequence:
    """One stretch of time as a file holds it."""

    name: str
    positions: Float[np.ndarray, "T N X"]
    """Not a number where an object is not there."""
    velocities: Float[np.ndarray, "T N X"] | None = None
    relations: np.ndarray | None = None
    """[N, N] or [T, N, N], sender before receiver."""
    times: Float[np.ndarray, " T"] | None = None
    """Of its frames, ascending: seconds, or numbers of frames; None: evenly, one frame after the other."""
    split: Split | None = None
    """As the file says."""


@dataclass(frozen=True)
class RawSet:
    """What a reader made of a file."""

    names: tuple[str, ...]
    sequences: tuple[RawSequence, ...]
    fps: float = 0.0
    """Frames a second; 0 where the file does not say it, or where times are in seconds."""
    in_seconds: bool = False
    """Whether :attr:`RawSequence.times` are seconds."""
    parents: tuple[int, ...] | None = None
    unit: str = ""
    notes: tuple[str, ...] = ()
    """What the reader guessed, a sentence each."""


@dataclass(frozen=True)
class Layout:
    """How a file is to be read, where it does not show it."""

    sequence: str = ""
    """Table: column that says which sequence a row is of; guessed where not named."""
    time: str = ""
    """Table: column of times or frame numbers; guessed where not named."""
    object: str = ""
    """Table: column that says which object a row is of; guessed where not named."""
    coordinates: tuple[str, ...] = ()
    """Table: columns of the two or three coordinates; guessed where not named."""
    speeds: tuple[str, ...] = ()
    """Table: columns of velocities, as many as coordinates; guessed where not named."""
    suffix: str = ""
    """Files of ethanfetaya/NRI: the end of their names, such as springs5, where a folder holds several sets."""
    edge_order: EdgeOrder = ""
    """Order of edge vectors: the receiver's row first (nri) or the sender's (dnri)."""


PLAIN = Layout()

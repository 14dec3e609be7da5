"""One ``.safetensors`` file a checkpoint: weights and a JSON header that says all there is to know. Never a pickle."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from safetensors import SafetensorError, safe_open

from hri.core.config import Config
from hri.core.files import replacing
from hri.core.places import CHECKPOINTS
from hri.core.records import Normalisation
from hri.model.commands import Command, from_text, text_of

if TYPE_CHECKING:
    from hri.model.model import Model

FORMAT = 1
COMMIT = "HRI_COMMIT"
"""Environment variable that names the commit where the code lies without its history."""


def find(checkpoint: Path, folder: Path = CHECKPOINTS) -> Path:
    """The file, or the file of that name in a folder of checkpoints, by default the project's.

    Raises:
        ValueError: a name, and there is no folder of checkpoints to find it in.
    """
    if checkpoint.exists() or len(checkpoint.parts) != 1:
        return checkpoint
    if not folder.is_dir():
        raise ValueError(
            f"there is no file {checkpoint}, and no folder {folder} that could hold a checkpoint of that name; "
            "name a file, or run this in the project's folder"
        )
    stored = folder / f"{checkpoint.name.removesuffix('.safetensors')}.safetensors"
    return stored if stored.exists() else checkpoint


@dataclass(frozen=True)
class Header:
    """What a checkpoint says about itself."""

    config: Config
    parts: Literal["all", "vision"] = "all"
    """"vision": encoder and decoder only; it reconstructs and cannot predict."""
    normalisation: Normalisation = field(default_factory=Normalisation)
    metrics: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    """Updates done in each stage."""
    hours: dict[str, float] = field(default_factory=dict)
    """Wall-clock hours of each stage."""
    seed: int = 0
    data: str = ""
    """What it was trained on, in words."""
    command: str = ""
    """The commands that reproduce it, a line each: the text of ``commands`` where there are any."""
    commands: tuple[Command, ...] = ()
    """The same as data; none in files from before there were any (:meth:`history`)."""
    device: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    source: str = "trained"
    """"trained" here, or "imported" from the authors' layout."""

    def __post_init__(self) -> None:
        if self.commands:
            object.__setattr__(self, "command", text_of(self.commands))

    def history(self) -> tuple[Command, ...]:
        """What made it, one after the other; of an older file, as its text and its updates say."""
        return self.commands or from_text(self.command, self.steps)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)})

    @staticmethod
    def from_json(text: str) -> Header:
        """The reverse of :meth:`to_json`.

        Raises:
            ValueError: no JSON, another format, unknown or missing fields.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"its header is not valid JSON ({error})") from None
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError(
                f"its header has another format than {FORMAT}; use the version of HRI Explorer that wrote it"
            )
        known = {f.name for f in dataclasses.fields(Header)}
        if "config" not in values or values.keys() - known:
            raise ValueError("its header has other fields than this version knows")
        values["config"] = Config.from_dict(values["config"])
        try:
            values["normalisation"] = Normalisation(**values.get("normalisation", {}))
        except TypeError as error:
            raise ValueError(f"its normalisation does not fit ({error})") from None
        commands = values.get("commands", [])
        if not isinstance(commands, list):
            raise ValueError("its commands are not a list of words and stages")
        values["commands"] = tuple(map(Command.from_dict, commands))
        return Header(**values)


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to run, and what its file said."""

    name: str
    model: Model
    header: Header


def read_header(path: str | os.PathLike[str]) -> Header:
    """What a checkpoint says about itself, without torch and without its weights.

    Raises:
        ValueError: missing, empty, truncated, a pickle, or not one of ours; one sentence.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, struct.error) as error:
        raise ValueError(_what_is_wrong(path, error)) from None
    if "hri" not in metadata:
        raise ValueError(
            f"{path.name} is a safetensors file of another program (it has no HRI header); choose a checkpoint "
            "written by `python -m hri`"
        )
    try:
        return Header.from_json(metadata["hri"])
    except ValueError as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None


def _what_is_wrong(path: Path, error: Exception) -> str:
    if not path.is_file():
        return f"there is no file {path}; list the checkpoints with `ls checkpoints`"
    with open(path, "rb") as file:
        start = file.read(9)
    if not start:
        return f"{path.name} is empty (0 bytes); copy it again"
    # A header of a safetensors file begins after its length, whose first byte may be that of a pickle too.
    if start[:2] == b"PK" or (start[:1] == b"\x80" and start[8:] != b"{"):
        return (
            f"{path.name} is a pickle (a PyTorch .pt file), which can hold code and is not opened here; "
            "convert it with `python -m hri import`"
        )
    return f"{path.name} is damaged or no safetensors file ({error}); copy it again from where it came from"


def load(path: str | os.PathLike[str], device: str = "cpu") -> Checkpoint:
    """Read a checkpoint, wherever it was trained.

    Raises:
        ValueError: as :func:`read_header`, or weights that do not fit the header's model or are not finite.
    """
    import safetensors.torch
    import torch

    from hri.model.model import Model

    path = Path(path)
    header = read_header(path)
    try:
        weights = safetensors.torch.load_file(path, device="cpu")
    except (SafetensorError, OSError) as error:
        raise ValueError(_what_is_wrong(path, error)) from None
    model = Model(header.config)
    parameters = model.state_dict()
    if header.parts == "vision":
        parameters = {
            name: value for name, value in parameters.items() if name.startswith(("vision.leaves", "vision.decoder"))
        }
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    if {name: tuple(value.shape) for name, value in weights.items()} != shapes:
        differ = {n for n in shapes.keys() & weights.keys() if shapes[n] != tuple(weights[n].shape)}
        odd = sorted((shapes.keys() ^ weights.keys()) | differ)
        raise ValueError(
            f"{path.name} holds the weights of another architecture than its header says: {odd[0]} "
            f"{f'and {len(odd) - 1} more do' if odd[1:] else 'does'} not fit; choose another file"
        )
    if bad := [name for name, value in weights.items() if not torch.isfinite(value).all()]:
        raise ValueError(
            f"{path.name} is damaged: {bad[0]} holds numbers that are not finite; use an earlier checkpoint"
        )
    model.load_state_dict(weights, strict=False)
    return Checkpoint(name=path.stem, model=model.to(device).eval(), header=header)


def save(path: str | os.PathLike[str], model: Model, header: Header) -> None:
    """Write weights and header, atomically: on any error the old file is still there.

    Raises:
        OSError: the folder cannot be written or the disk is full.
    """
    import safetensors.torch

    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    if header.parts == "vision":
        weights = {n: v for n, v in weights.items() if n.startswith(("vision.leaves", "vision.decoder"))}
    with replacing(path) as file:
        file.write(safetensors.torch.save(weights, metadata={"hri": header.to_json()}))


def provenance(device: str = "cuda") -> dict[str, Any]:
    """Device, versions and commit of this process, for a header.

    Args:
        device: kind of device that computes, where there is such a one; else it is the CPU.
    """
    import subprocess
    from importlib.metadata import version

    import torch

    words = ["git", "rev-parse", "--short", "HEAD"]
    try:
        commit = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent, check=False).stdout
    except OSError:  # a machine without git
        commit = ""
    on_gpu = device == "cuda" and torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if on_gpu else f"CPU ({platform.machine()})",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "numba")},
        },
        "commit": commit.strip() or os.environ.get(COMMIT, ""),
    }

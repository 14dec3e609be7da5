"""How every command finds a checkpoint, and the commands that make one: ``import`` and ``publish``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from hri.cli.terminal import bar, check_target, listed
from hri.core.config import Config
from hri.core.hierarchy import Tree
from hri.core.places import CHECKPOINTS
from hri.core.presets import VARIANTS
from hri.data.sources import source_of
from hri.model.checkpoint import find
from hri.model.commands import START, Command

if TYPE_CHECKING:
    from hri.model.checkpoint import Checkpoint


def load_checkpoint(checkpoint: Path, device: str) -> Checkpoint:
    """The checkpoint on the device."""
    path = find_checkpoint(checkpoint)
    from hri.model.checkpoint import load, read_header

    read_header(path)  # a wrong file is refused before torch is waited for
    from hri.model.devices import device_named

    return load(path, device_named(device))


def find_checkpoint(checkpoint: Path) -> Path:
    """The file, or the file of that name among the project's checkpoints.

    Raises:
        ValueError: a name, and there is no folder of checkpoints to find it in.
    """
    return find(checkpoint, CHECKPOINTS)


def recorded_in(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """The checkpoint with its test scenes cut from the recordings of another folder.

    Raises:
        ValueError: it was trained on simulated springs.
    """
    config = checkpoint.header.config
    source = source_of(config.data)
    if source.simulated:
        raise ValueError(f"{checkpoint.name} was trained on simulated springs; give it {source.files}")
    data = source.in_folder(str(folder))
    header = dataclasses.replace(checkpoint.header, config=dataclasses.replace(config, data=data))
    return dataclasses.replace(checkpoint, header=header)


def import_published(
    file: Annotated[Path, tyro.conf.Positional],
    out: Path | None = None,
    variant: Literal["auto", "hri", "hri-h", "hri-gt", "nri", "nri-lo", "nri-gt", "fcmp", "lstm", "lstm-lo"] = "auto",
    tree: str = "4-3",
) -> None:
    """Convert one of the authors' model_all.pt files to a checkpoint.

    The variant is told from the file's keys and shapes; where several fit, --variant settles it. Encoder and decoder
    alone give a checkpoint that reconstructs. Code in the file is never run. Edges are inferred from the one state
    that the published code uses (model.relations.window = published).

    Example: python -m hri import model_all.pt --out published.safetensors

    Args:
        file: The authors' file, saved on a CPU or a GPU.
        out: Checkpoint to write; by default the file's name with .safetensors.
        variant: Which model of the paper it is; auto: what the file itself shows.
        tree: The simulated system, which the file does not name.
    """
    target = out or Path(file.with_suffix(".safetensors").name)
    check_target(target)
    Tree.parse(tree)
    from hri.model.checkpoint import provenance, save
    from hri.model.published import import_published as convert

    conversion = convert(file, None if variant == "auto" else variant, tree)
    words = ["import", str(file), "--out", str(target), "--variant", variant, "--tree", tree]
    commands = (Command((*START, *words)),)
    save(target, conversion.model, dataclasses.replace(conversion.header, commands=commands, **provenance()))
    what = (
        "encoder and decoder only: it reconstructs"
        if conversion.header.parts == "vision"
        else _kind(conversion.header.config)
    )
    print(f"wrote {target} ({what})")


def _kind(config: Config) -> str:
    """Which model of the paper a config is."""
    seen = config.model.seen
    for name, (relations, dynamics) in VARIANTS.items():
        same = (relations.source, relations.pairs) == (config.model.relations.source, config.model.relations.pairs)
        if same and (dynamics.passing, dynamics.nodes) == (config.model.dynamics.passing, config.model.dynamics.nodes):
            return f"{name}, {seen}, tree {config.data.tree}"
    return f"{seen}, tree {config.data.tree}"


def publish(
    checkpoint: Path,
    name: str,
    checkpoints: Path = CHECKPOINTS,
    stored: Path = CHECKPOINTS.parent / "assets" / "stored",
    systems: int | None = None,
) -> None:
    """Score a trained checkpoint on its test systems and put it where the app and the other commands find it.

    Writes NAME.safetensors with the scores in its header, the folder's README.md with a card of every checkpoint,
    and a stored rollout of three test systems, which the app shows without loading a model.

    Example: python -m hri publish --checkpoint runs/first/best.safetensors --name springs-4-3-state-hri

    Args:
        checkpoint: The trained checkpoint, such as a run's best.safetensors.
        name: What to call it.
        checkpoints: Folder of the checkpoints.
        stored: Folder of the stored rollouts.
        systems: Test systems; by default 1000 for states and 100 for images.
    """
    from hri.experiments.publish import publish as put

    with bar(f"scoring {name}", None):
        scores = put(checkpoint, name, checkpoints, stored, systems)
    print(f"wrote {checkpoints / name}.safetensors: test {listed({key: scores[key] for key in ('nll', 'nll_free')})}")

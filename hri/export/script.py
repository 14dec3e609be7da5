"""The Python that makes the picture on the screen: lines that run as they are, from the repository's folder."""

from __future__ import annotations

import os
from pathlib import PurePath

from hri.core.records import Rollout
from hri.data.video import VideoClip
from hri.physics.systems import System
from hri.rollout.interventions import Intervention
from hri.rollout.settings import recorded_values


def python_lines(
    rollout: Rollout,
    checkpoint: str | os.PathLike[str],
    tree: str,
    physics: str,
    frame: int | None = None,
    system: System | None = None,
    picture: str = "picture.svg",
) -> str:
    """A script that computes a one-scene rollout again and writes a picture of it.

    Every value is written as a Python literal, so no name can smuggle in code.

    Args:
        rollout: how it was made (free steps, edges, seed, edits) is in its record.
        checkpoint: the file, as it is to be named in the script.
        tree: of the scene's balls, such as 4-3.
        physics: of the scene, such as 04.
        frame: shown in the picture; by default the last.
        system: a scene drawn by hand, in place of a seed.
        picture: file to write, see :data:`hri.export.formats.FORMATS`.

    Raises:
        ValueError: several scenes, or a scene that has neither seed nor system.
    """
    seed = -1 if rollout.seeds is None else int(rollout.seeds[0])
    if len(rollout.slots) != 1:
        raise ValueError(f"a script makes one scene; choose one of these {len(rollout.slots)} with Rollout.scene")
    if system is None and seed < 0:
        raise ValueError("this scene has no seed, so no script can simulate it; give the system it was drawn with")
    last = rollout.slots.shape[1] - 1 if frame is None else frame
    choices = [*_choices(rollout), "tree=tree"]
    lines = [
        "from hri.model.checkpoint import load",
        "from hri.export.formats import export",
        "from hri.core.hierarchy import Tree",
    ]
    if rollout.edits:
        lines += ["from hri.rollout.interventions import Intervention"]
        choices += ["intervention=edits"]
    lines += ["from hri.rollout.rollout import roll_out"]
    from_record = system is None and (rollout.joints is not None or rollout.true_states is None)
    if from_record:
        lines += ["from hri.rollout.scenes import scenes_of", ""]
    else:
        lines += [
            "from hri.physics.systems import System" if system else "from hri.physics.springs import simulate",
            "",
        ]
    lines += [f"model = load({os.fspath(PurePath(checkpoint))!r})", f"tree = Tree.parse({tree!r})"]
    if system:
        lines += [f"scene = System.parse({system.to_json()!r}).simulate()"]
    elif from_record:
        lines += [f"scene = scenes_of(model.header.config.data, [{seed}])"]
    else:
        lines += [f"scene = simulate(tree, {physics!r}, [{seed}])"]
    if rollout.edits:
        lines += [f"edits = Intervention.parse({Intervention.parse(rollout.edits).to_json()!r})"]
    lines += [f"seen = roll_out(model, scene, {', '.join(choices)})"]
    lines += [f"export(seen, {picture!r}, frame={last})"]
    return "\n".join(lines) + "\n"


def clip_lines(
    rollout: Rollout,
    checkpoint: str | os.PathLike[str],
    clip: VideoClip,
    frame: int | None = None,
    picture: str = "picture.svg",
) -> str:
    """A script that rolls out on a video again, which lies beside it under its owner's name for it.

    Args:
        rollout: how it was made is in its record.
        checkpoint: the file, as it is to be named in the script.
        clip: the part of the video.
        frame: shown in the picture; by default the last.
        picture: file to write, see :data:`hri.export.formats.FORMATS`.
    """
    last = rollout.slots.shape[1] - 1 if frame is None else frame
    choices, imports, edits = _choices(rollout), [], []
    if rollout.edits:
        imports = ["from hri.rollout.interventions import Intervention"]
        edits = [f"edits = Intervention.parse({Intervention.parse(rollout.edits).to_json()!r})"]
        choices += ["intervention=edits"]
    lines = [
        "from pathlib import Path",
        "",
        "from hri.model.checkpoint import load",
        "from hri.export.formats import export",
        *imports,
    ]
    lines += ["from hri.rollout.likeness import footage_for, roll_out_footage", "from hri.data.video import Cut", ""]
    lines += [f"model = load({os.fspath(PurePath(checkpoint))!r})"]
    lines += [f"clip = Path({PurePath(clip.name).name!r})"]
    lines += [f"footage = footage_for(model, clip, clip.name, {clip.cut!r})", *edits]
    lines += [f"seen = roll_out_footage(model, footage, {', '.join(choices)})", "print(*seen.sentences, sep='\\n')"]
    lines += [f"export(seen.rollout, {picture!r}, frame={last})"]
    return "\n".join(lines) + "\n"


def _choices(rollout: Rollout) -> list[str]:
    """How a rollout was made, as arguments; edits have a line of their own."""
    values = recorded_values(rollout)
    return [f"{name}={value!r}" for name, value in values.items() if name != "intervention"]

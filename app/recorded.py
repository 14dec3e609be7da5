"""Recorded bodies and clips on the pages: what they are called, whether they are here, which part of them is shown."""

from __future__ import annotations

from pathlib import PurePath

from hri.core.config import Config, DataConfig
from hri.core.presets import BODIES, PACKAGES


def body_of(data: DataConfig) -> str:
    """What a page calls recordings of a body: by the preset whose body it is, else by their folder."""
    assert data.motion is not None
    folder = PurePath(data.motion.folder).name
    known = [
        name for name, (motion, tree) in BODIES.items() if (motion.joints, tree) == (data.motion.joints, data.tree)
    ]
    return next((name for name in known if BODIES[name][0].folder == folder), next(iter(known), folder))


def here(config: Config | None) -> bool:
    """Whether any scene of a model can be made here: always of springs, of a body or clips where these are."""
    if config is None or (config.data.motion is None and config.data.clips is None):
        return config is not None
    from hri.data import clip_windows, windows

    if config.data.clips is not None:
        return clip_windows.available(config.data.clips)
    return config.data.motion is not None and windows.available(config.data.motion)


def how_to_get(data: DataConfig) -> str:
    """The command that brings the recordings of a model."""
    if data.motion is None:
        return "python -m hri data kth` or `data video"
    if data.motion.joints == BODIES["human36m"][0].joints:
        return f"python -m hri data human36m data_3d_h36m.npz --out {data.motion.folder} --trust-pickle"
    only = f" --only {PACKAGES[body]}" if (body := body_of(data)) in PACKAGES else ""
    return f"python -m hri data fetch-demo{only} --out {data.motion.folder}"


def window(config: Config, seed: int) -> str:
    """Which part of which recording a scene is, and whether the model has met that recording."""
    met = "met in training" if config.data.split_of(seed) == "train" else "never seen in training"
    clips = config.data.clips is not None
    if not here(config):
        return f"a {'clip' if clips else 'recording'} {met}. For other scenes: `{how_to_get(config.data)}`"
    from hri.data import clip_windows, windows

    return f"{clip_windows.about(config.data, seed) if clips else windows.about(config.data, seed)}; {met}"

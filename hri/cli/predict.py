"""The commands ``rollout`` and ``export``: a checkpoint predicts, and what becomes of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import tyro

from hri.cli.checkpoints import load_checkpoint, recorded_in
from hri.cli.terminal import bar, check_target
from hri.core.files import read_npz, write_npz
from hri.data.video import WHOLE, Cut
from hri.export import formats
from hri.rollout.edit_kind import EdgeChoice
from hri.rollout.edit_text import MAX_TEXT
from hri.rollout.far import far_outside
from hri.rollout.interventions import NOTHING, Intervention
from hri.rollout.rollout_files import open_rollout
from hri.rollout.settings import STANDARD, Settings

if TYPE_CHECKING:
    from hri.model.checkpoint import Checkpoint

    FormatName = str
else:
    FormatName = Literal[("auto", *formats.NAMES)]

RECORDED = 8
"""Test scenes of recordings that are rolled out when the caller names no number."""
EDGES = get_args(EdgeChoice)


@dataclass(frozen=True)
class Flags(Settings):
    """The settings of a roll-out as flags: one of them, --edges, also takes edits."""

    edges: str = STANDARD.edges  # type: ignore[assignment]
    """The most probable type (argmax), a draw from the probabilities (sample), the true springs (true), no interaction
    at all (none); or edits, FILE.json or '{"version": 1, "edits": [...]}'."""
    intervention: Annotated[Intervention, tyro.conf.Fixed, tyro.conf.Suppress] = NOTHING

    def read(self) -> Settings:
        """The settings, edits read.

        Raises:
            ValueError: --edges is neither a choice nor edits that can be read.
        """
        if self.edges in EDGES:
            return Settings(**vars(self))
        return Settings(**vars(self) | {"edges": STANDARD.edges, "intervention": _edits(self.edges)})


def rollout(
    checkpoint: Path,
    input: Path | None = None,
    out: Path = Path("rollout.npz"),
    video: Path | None = None,
    cut: Annotated[Cut, tyro.conf.arg(name="")] = WHOLE,
    settings: Annotated[Flags, tyro.conf.arg(name="")] = Flags(),
    systems: int | None = None,
    device: str = "auto",
) -> None:
    """Let a checkpoint predict: true inputs first, then a free run on its own predictions.

    The input is what simulate wrote, or an .npz with states [B, T, N, 4] (already normalised; for --edges true also
    true_edges, a matrix [B, N, N], or [B, E] with true_edge_sender_receiver [E, 2]) or frames [B, T, H, W, 3] in
    uint8. The output holds slots, edge_sender_receiver, edge_logits, edge_probabilities, edge_types, predicted_slots
    [B, T-1, N, D] and, for image models, reconstructed_frames, predicted_frames and (SlotDec) slot_frames. A
    checkpoint of encoder and decoder only gives frames, slots and reconstructed_frames.

    --edges also takes edits, such as cut edges or muted slots, that were made on the app's page: a file of JSON, the
    JSON itself, or the word that an address of the app carries.

    Instead of --input, --video takes a clip of your own (mp4, m4v, mov, avi, mkv, gif, webm), brings a part of it to
    the checkpoint's size and colours, and says whether it is like what the checkpoint was trained on. It is decoded
    frame by frame: a 4K clip takes some 200 MB, however long it is.

    Example: python -m hri rollout --checkpoint springs-4-3-slot-hri --input simulation.npz

    Args:
        checkpoint: A .safetensors file, or the name of one in the project's checkpoints folder; it may also come
            first, without the flag.
        input: Scenes to predict; of recordings, clips or trajectories the folder, whose test part is then predicted.
        video: A clip to predict.
        cut: Of the clip.
        out: File to write.
        settings: Of the free run.
        systems: Predict only this many scenes, from the first.
        device: auto (CUDA where there is one), cpu, cuda or cuda:1.
    """
    check_target(out)
    options = settings.read()
    if (input is None) == (video is None):
        raise ValueError("give either --input, scenes in an .npz, or --video, a clip")
    if video is None and cut != WHOLE:
        raise ValueError("--start, --length, --crop, --rate, --grey, --background and --ground belong to --video")
    if video is not None:
        if not video.is_file():
            raise ValueError(f"there is no file {video}; name the clip with --video")
        if systems is not None:
            raise ValueError("--systems belongs to --input; a clip is one scene")
        loaded = load_checkpoint(checkpoint, device)
        _from_video(loaded, video, cut, out, options)
        return
    assert input is not None
    if systems is not None and systems < 1:
        raise ValueError(f"--systems is {systems}; choose 1 or more")
    if input.is_dir():
        _from_folder(load_checkpoint(checkpoint, device), input, systems or RECORDED, out, options)
        return
    arrays = read_npz(input)
    loaded = load_checkpoint(checkpoint, device)
    from hri.rollout.reach import outside
    from hri.rollout.rollout import from_arrays
    from hri.rollout.scenes import shared_by_scenes

    if systems is not None:
        whole = shared_by_scenes(arrays)
        arrays = {name: value if name in whole else value[:systems] for name, value in arrays.items() if value.ndim}
    with bar("predicting", None):
        result = from_arrays(loaded, arrays, str(input), options)
        parts = result if isinstance(result, dict) else {"slots": result.slots}
        write_npz(out, parts) if isinstance(result, dict) else result.save(out)
    scenes, steps, nodes, _ = parts["slots"].shape
    what = "reconstructed" if isinstance(result, dict) else f"{options.free_steps} free steps"
    if not isinstance(result, dict):
        # States are given normalised: what lies a little beyond is no mistake of units.
        far = f"{sentence}." if (sentence := far_outside(result)) else ""
        if sentence := far if "states" in arrays else outside(loaded, result):
            print(sentence)
    print(f"wrote {out}: {scenes} scenes of {steps} frames, {nodes} nodes, {what}")


def _from_video(checkpoint: Checkpoint, video: Path, cut: Cut, out: Path, settings: Settings) -> None:
    """Roll out on a clip, say what it is like, write the rollout."""
    from hri.rollout.likeness import footage_for, roll_out_footage

    with bar("decoding", None):
        footage = footage_for(checkpoint, video, video.name, cut, settings.free_steps)
    with bar("predicting", None):
        seen = roll_out_footage(checkpoint, footage, settings)
        seen.rollout.save(out)
    for sentence in seen.sentences:
        print(sentence)
    about = f"{len(footage.frames)} frames at {footage.rate:.4g} a second from {footage.width} x {footage.height}"
    print(f"wrote {out}: {about}, {settings.free_steps} free steps")


def _from_folder(checkpoint: Checkpoint, folder: Path, scenes: int, out: Path, settings: Settings) -> None:
    """Roll out on test scenes of a folder's recordings or trajectories."""
    from hri.data.own_windows import as_simulated
    from hri.data.sources import source_of
    from hri.rollout.reach import outside
    from hri.rollout.rollout import roll_out
    from hri.rollout.scenes import scenes_of

    with bar("predicting", None):
        if source_of(checkpoint.header.config.data).simulated:
            test: Any = as_simulated(folder)[:scenes]
        else:
            checkpoint = recorded_in(checkpoint, folder)
            data = dataclasses.replace(checkpoint.header.config.data, test=scenes)
            test = scenes_of(data, data.seeds("test"))
        seen = roll_out(checkpoint, test, settings)
        seen.save(out)
    if sentence := outside(checkpoint, seen):
        print(sentence)
    _, steps, nodes, _ = seen.slots.shape
    print(f"wrote {out}: {scenes} scenes of {steps} frames, {nodes} nodes, {settings.free_steps} free steps")


def export(
    rollout: Path,
    out: Path | None = None,
    format: FormatName = "auto",
    scene: int = 0,
    frame: int | None = None,
    fps: float = float(formats.USUAL.fps),
    scale: int = formats.USUAL.scale,
    shape: formats.Shape = formats.USUAL.shape,
    theme: formats.Theme = formats.USUAL.theme,
    title: str = formats.USUAL.title,
    width: float = formats.USUAL.width,
    show: formats.Show = formats.USUAL.show,
) -> None:
    """Turn a rollout into a film, a picture, a page, a graph or a table.

    {formats}

    Example: python -m hri export --rollout rollout.npz --out rollout.gif

    Args:
        rollout: File that the rollout command wrote.
        out: File to write; by default the rollout's name with the format's ending.
        format: What to turn it into; auto: what the ending of --out says.
        scene: Which scene of the rollout, from 0.
        frame: Which frame, from 1, in {frame}; by default the last.
        fps: Frames per second, in {fps}, {FPS[0]} to {FPS[1]}.
        scale: Screen pixels for each pixel of a frame, in {scale}, {SCALE[0]} to {SCALE[1]}.
        shape: Of {shape}: the three pictures in a strip; square or wide: with graph and error over time.
        theme: Colours of a square or wide page.
        title: Of such a page; by default the model and the scene.
        width: Of {width}, in centimetres, {WIDTH[0]:g} to {WIDTH[1]:g}.
        show: What {show} hold: pictures and graph, or one of them.
    """
    if out is None and format == "auto":
        raise ValueError("--out or --format must be given: say what the rollout is to become")
    target = out or Path(rollout.with_suffix(f".{format}").name)
    if format != "auto" and target.suffix.lower() != f".{format}":
        raise ValueError(f"{target.name} does not end with .{format}; rename it, or leave --format out")
    check_target(target)
    if target.exists() and target.samefile(rollout):
        raise ValueError(f"{target} is the rollout itself; give another --out")
    loaded = open_rollout(rollout)
    with bar("exporting", None):
        formats.export(loaded, target, scene, fps, scale, frame, shape, theme, title, width, show)
    print(f"wrote {target}: scene {scene} of {rollout}")


export.__doc__ = (export.__doc__ or "").format(
    formats=formats.in_words(),
    **{option: formats.that_take(option) for option in ("fps", "scale", "frame", "shape", "width", "show")},
    FPS=formats.FPS,
    SCALE=formats.SCALE,
    WIDTH=formats.WIDTH,
)


def _edits(text: str) -> Intervention:
    """What the words after --edges change: edits themselves, or the file that they are in.

    Raises:
        ValueError: neither of them; one sentence.
    """
    if text.lstrip()[:1] == "{" or "~" in text:
        return Intervention.parse(text)
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"--edges is {text!r}; choose from {', '.join(EDGES)}, or give a file of edits or JSON")
    with open(path, "rb") as file:
        content = file.read(4 * MAX_TEXT)
    try:
        return Intervention.parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} holds no text; give a file of edits such as the app saves") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None

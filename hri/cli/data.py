"""The command ``data``: recordings of people to the project's own files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from hri.cli.terminal import answer, bar
from hri.data.video import KINDS, WHOLE, Cut


def data(
    kind: Positional[Literal["human36m", "mocap", "kth", "video", "fetch-demo"]],
    path: Positional[Path | None] = None,
    out: Path = Path("data"),
    size: Literal[32, 64] = 64,
    cut: Annotated[Cut, tyro.conf.arg(name="")] = WHOLE,
    metres: float = 0.01,
    trust_pickle: bool = False,
    json: bool = False,
) -> None:
    """Convert recordings of people to the project's own format, or fetch small real ones.

    human36m: VideoPose3D's data_3d_h36m.npz, or the folder of raw .cdf files, to DIR/motion.npz.

    mocap: one .bvh or .npz of [T, J, 3] positions, or a folder of them with the same joints, to DIR/motion.npz.

    kth: the folder with 00sequences.txt and the videos, to DIR/frames.npy (uint8, grey) and DIR/clips.json.

    video: a video of your own or a folder of some, each cut as the flags say (at most 200 frames), to
    DIR/frames.npy and DIR/clips.json; the first 60 % of each train, the last 20 % test.

    fetch-demo: small recordings that three packages ship, into DIR, those of one body also converted to DIR/motion.npz;
    needs no PATH and, once fetched, no network.

    Example: python -m hri data human36m data_3d_h36m.npz --out human36m --trust-pickle --json

    Args:
        kind: Which layout is read.
        path: The file or folder to read.
        out: Folder to write; a new one, but for fetch-demo.
        size: Rows and columns of a frame of clips.
        cut: Of videos.
        metres: What one unit of a .bvh file is; 0.01 for centimetres.
        trust_pickle: Open data_3d_h36m.npz, a pickle, which can run any code that its maker put in.
        json: Print one JSON object.
    """
    if kind == "fetch-demo":
        answer(_fetch(out), json, "demo recordings")
        return
    if path is None:
        raise ValueError(f"name what to read: data {kind} PATH --out DIR")
    if not path.exists():
        raise ValueError(f"there is no {path}; name the file or folder to read")
    if kind != "video" and cut != WHOLE:
        raise ValueError("--start, --length, --crop, --rate, --grey and --background belong to `data video`")
    if kind == "video":
        from hri.data.clips import convert_videos

        found = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix[1:].lower() in KINDS)
        with bar("decoding", None):
            told = convert_videos(found, out, size, cut)
        answer(told, json, "videos")
        return
    if kind == "kth":
        from hri.data.formats.kth import convert

        with bar("decoding", 600) as reach:
            answer(convert(path, out, size, reach), json, "KTH")
        return
    answer(_motion(kind, path, out, metres, trust_pickle), json, kind)


def _motion(kind: str, path: Path, out: Path, metres: float, trust_pickle: bool) -> dict[str, Any]:
    from hri.data.clips import new_folder
    from hri.data.formats import human36m
    from hri.data.formats.mocap import read

    with new_folder(out) as folder, bar(f"reading {path.name}", None):
        motion = human36m.read(path, trust_pickle) if kind == "human36m" else read(path, metres)
        motion.write(folder / "motion.npz")
    return {
        "subjects": sorted({recording.subject for recording in motion.recordings}),
        "actions": len(motion.recordings),
        "frames": sum(len(recording.positions) for recording in motion.recordings),
        "joints": len(motion.joints),
        **{split: len(motion.of(split)) for split in ("train", "validation", "test")},
        "bone_stretch": motion.stretch(),
    }


def _fetch(out: Path) -> dict[str, Any]:
    from hri.data.formats.demo import BODY, SOURCES, fetch, fetched
    from hri.data.formats.mocap import read
    from hri.data.windows import FILE

    out.mkdir(parents=True, exist_ok=True)
    new = []
    for source in SOURCES:
        if not fetched(source, out):
            about = f"{source.package} ({source.megabytes} MB, licence {source.licence}): {source.what}"
            print(f"downloading {about}", file=sys.stderr)
            fetch(source, out)
            new.append(source.package)
    if new or not (out / FILE).is_file():
        read(out, only=BODY).write(out / FILE)
    files = [Path(member).name for source in SOURCES for member in source.members]
    licences = {Path(member).name: source.licence for source in SOURCES for member in source.members}
    return {"folder": str(out), "downloaded": new, "files": files, "motion": str(out / FILE), "licences": licences}

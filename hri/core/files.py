"""Files that are whole at any moment: arrays in and out, never a pickle, never a half-written file."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def read_npz(path: str | os.PathLike[str] | io.BytesIO) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz``; pickled objects are refused, never opened.

    Raises:
        OSError: the file is not there or may not be read.
        ValueError: not an npz, truncated, empty, or holding pickled objects.
    """
    with nullcontext(path) if isinstance(path, io.BytesIO) else open(path, "rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("it holds a single array without a name")
            return {name: archive[name] for name in archive.files}
        except Exception as error:  # a damaged file fails in zip, zlib, the header's tokenizer, memory ...
            name = getattr(path, "name", "the file") if isinstance(path, io.BytesIO) else path
            raise ValueError(
                f"{name} is not a readable .npz of plain arrays ({error}); write it again with numpy.savez"
            ) from None


def write_npz(path: str | os.PathLike[str], arrays: dict[str, np.ndarray]) -> None:
    """Compressed ``.npz``, atomically.

    Raises:
        OSError: the folder cannot be written or the disk is full (nothing is left behind).
    """
    with replacing(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write that takes ``path``'s place only when complete: a reader never sees half of it.

    Raises:
        OSError: the folder cannot be written or the disk is full; what was at ``path`` is still there.
    """
    target = Path(path)
    temporary = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def lock(path: Path, patience: float = 0.0) -> int | None:
    """Take the lock that this file stands for: its descriptor, or None while another process holds it.

    Whoever inherits the descriptor holds the lock too. It is free again when all of them have ended, however they
    ended, so a lock never goes stale.

    Args:
        patience: seconds to try for; whoever asks whether a lock is taken holds it for a moment.

    Raises:
        OSError: the file cannot be made.
    """
    deadline = time.monotonic() + patience
    while (descriptor := _lock(path)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock that this file stands for; not where there is no such file or it may not be
    opened.
    """
    if not path.exists():
        return False
    try:
        descriptor = _lock(path)
    except OSError:
        return False
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        return None
    return descriptor


def write_npz_parts(
    path: str | os.PathLike[str], total: int, parts: Iterable[dict[str, np.ndarray]], whole: dict[str, np.ndarray]
) -> None:
    """One ``.npz`` larger than memory, atomically: parts [s, ...] joined along their first axis to [total, ...].

    A zip takes one member at a time, so the first array of each part streams straight into it while the
    others wait in files beside the target. Integers (pixels, springs) are compressed, coordinates hardly shrink.

    Raises:
        OSError: the folder cannot be written or the disk is full (nothing is left behind).
    """
    target = Path(path)
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.", suffix=".part") as folder,
        replacing(path) as file,
        zipfile.ZipFile(file, "w") as archive,
        ExitStack() as opened,
    ):
        sinks: dict[str, IO[bytes]] = {}
        for part in parts:
            for name, array in part.items():
                if name not in sinks:
                    if not sinks:
                        sink = archive.open(_member(name, array), "w", force_zip64=True)
                    else:
                        sink = open(Path(folder, name), "wb+")  # noqa: SIM115
                    sinks[name] = opened.enter_context(sink)
                    header = {"descr": array.dtype.str, "fortran_order": False, "shape": (total, *array.shape[1:])}
                    np.lib.format.write_array_header_2_0(sink, header)
                sinks[name].write(np.ascontiguousarray(array).data)
        first, *waiting = sinks
        sinks[first].close()
        for name in waiting:
            sinks[name].seek(0)
            with archive.open(_member(name, part[name]), "w", force_zip64=True) as member:
                shutil.copyfileobj(sinks[name], member, 1 << 20)
        for name, array in whole.items():
            with archive.open(_member(name, array), "w") as member:
                np.lib.format.write_array(member, array)


def _member(name: str, array: np.ndarray) -> zipfile.ZipInfo:
    """The ``.npy`` member for arrays such as this one."""
    info = zipfile.ZipInfo(f"{name}.npy")
    info.compress_type = zipfile.ZIP_DEFLATED if array.dtype.kind in "iu" else zipfile.ZIP_STORED
    return info

"""Errors that are not ours, in one line."""

from __future__ import annotations

import errno
import os


def sentence(error: Exception) -> str | None:
    """One line for a user's mistake or a machine's limit; None for anything else, which is a fault of ours."""
    kind = type(error).__name__
    if isinstance(error, MemoryError) or kind == "OutOfMemoryError":
        return "there is not enough memory; ask for less at once, or stop other programs"
    if isinstance(error, ValueError) or "TrainingStopped" in {base.__name__ for base in type(error).__mro__}:
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        place = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        if error.errno == errno.ENOSPC:
            return f"the disk is full{place}; older files are as they were: free some space and try again"
        return f"{error.strerror or error}{place}; choose another file or folder"
    return None

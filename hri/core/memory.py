"""How this process asks its system for memory."""

from __future__ import annotations

import ctypes
import sys


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory: every update needs the same arrays again.

    Otherwise each large tensor is returned to the system and faulted in anew; on virtual machines that hand free
    pages back to their host that makes updates far slower. Does nothing on other systems.
    """
    if sys.platform == "linux":
        try:
            mallopt = ctypes.CDLL("libc.so.6").mallopt
        except (OSError, AttributeError):
            return
        trim_threshold, mmap_max = -1, -4  # names of malloc.h
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_max, 0)

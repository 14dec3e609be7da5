"""The training log that TensorBoard reads, where that optional package is installed."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def events_file(folder: Path) -> Events | None:
    """A new file of events in ``folder``, or None without the package tensorboard.

    Raises:
        OSError: the folder or the file cannot be made.
    """
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError:
        return None
    return Events(folder, event_pb2.Event, summary_pb2.Summary, RecordWriter)


class Events:
    """One file of scalars over updates.

    TensorBoard's own writer hands its lines to a thread, and a full disk or a folder deleted underneath then ends
    that thread with a traceback of its own. Here they are written by whoever logs, so such an error reaches the
    training like that of any other file.
    """

    def __init__(self, folder: Path, event: Any, summary: Any, record_writer: Any):
        folder.mkdir(parents=True, exist_ok=True)
        self._event, self._summary = event, summary
        # TensorBoard reads a folder's files in the order of their names and knows them by "tfevents".
        name = f"events.out.tfevents.{time.time_ns() // 10**6:014}.{socket.gethostname()}.{os.getpid()}"
        self._records = record_writer(open(folder / name, "ab"))  # noqa: SIM115
        self._write(file_version="brain.Event:2")

    def add(self, values: Mapping[str, float], update: int) -> None:
        """Values by name at one update, on disk when this returns.

        Raises:
            OSError: the disk is full.
        """
        scalars = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(step=update, summary=self._summary(value=scalars))

    def close(self) -> None:
        """No more is written.

        Raises:
            OSError: what a full disk refused is still waiting.
        """
        self._records.close()

    def _write(self, **fields: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **fields).SerializeToString())
        self._records.flush()

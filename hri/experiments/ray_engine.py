"""Jobs as tasks of Ray (an optional package), on this machine or on a cluster that shares the folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from hri.experiments import processes
from hri.experiments.jobs import Outcome, carry_out, cores, gpus
from hri.experiments.plan import Job

PLAIN = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",
}
"""Ray reports nothing to its makers, tasks without a GPU keep the variables they have, and they are as important to
the system as processes that are started without Ray."""


class RayEngine:
    """One task a job, with one core or one GPU each."""

    def __init__(self, slots: int | None = None, address: str | None = None):
        """Start a local Ray, or join the cluster at this address ("auto": the one this machine belongs to).

        Raises:
            ValueError: Ray is not installed, or there is no such cluster.
        """
        os.environ.update({name: value for name, value in PLAIN.items() if name not in os.environ})
        try:
            import ray
        except ImportError:
            raise ValueError("--engine ray needs the package Ray; install it with `pip install ray`") from None
        self.ray = ray
        quiet: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
        quiet["runtime_env"] = {"env_vars": {"PYTHONPATH": processes.search_path()}}
        try:
            if address is None:
                ray.init(num_cpus=slots or cores(), num_gpus=len(gpus()), include_dashboard=False, **quiet)
            else:
                _answers(address)
                ray.init(address=address, **quiet)
        except (OSError, RuntimeError, ValueError, AssertionError) as error:
            reason = getattr(error, "strerror", None) or " ".join(str(error).split()).split(". ")[0]
            raise ValueError(
                f"there is no Ray cluster at {address} ({reason}); start one with `ray start --head`"
                if address
                else f"Ray does not start here ({reason}); leave --engine ray out"
            ) from None
        there = ray.cluster_resources()
        graphics = int(there.get("GPU", 0))
        self.slots = slots or graphics or int(there.get("CPU", 1))
        needs = {"num_cpus": 1, "num_gpus": min(1.0, graphics / self.slots)} if graphics else {"num_cpus": 1}
        self.task = ray.remote(max_retries=0, **needs)(carry_out)

    def start(self, job: Job, folder: Path, again: bool) -> RayHandle:
        return RayHandle(self.ray, self.task.remote(job, folder, os.getcwd(), again))

    def close(self) -> None:
        """Leave the cluster; a local Ray ends."""
        self.ray.shutdown()


def _answers(address: str) -> None:
    """See that something listens at HOST:PORT; Ray itself would ask an empty place again and again for minutes.

    Raises:
        OSError: nothing does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()


class RayHandle:
    """A task that was handed to Ray."""

    def __init__(self, ray: Any, reference: Any):
        self.ray, self.reference = ray, reference

    def poll(self) -> Outcome | None:
        done, _ = self.ray.wait([self.reference], timeout=0)
        if not done:
            return None
        try:
            return self.ray.get(self.reference)
        except self.ray.exceptions.RayError as error:
            return Outcome("failed", f"its Ray worker ended ({' '.join(str(error).split())[:200]})")

    def stop(self) -> None:
        """Interrupt the task, as Ctrl-C would, and wait until its process has ended."""
        if self.poll() is None:
            self.ray.cancel(self.reference)
            self.ray.wait([self.reference], timeout=15)

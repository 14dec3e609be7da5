"""Hardest and easiest scenes: many seeds, ordered by how wrong a checkpoint's free run is."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from hri.core.files import replacing
from hri.core.hierarchy import Tree
from hri.core.records import Film, Trajectories
from hri.model.checkpoint import Checkpoint
from hri.model.devices import device_of
from hri.rollout.imaging import decode, encode
from hri.rollout.predict import predict
from hri.rollout.scenes import check_systems, frames_of, scenes_of, truth_of
from hri.rollout.settings import STANDARD, Settings

SEEDS = range(200_042, 200_242)
"""Two hundred test systems."""
PICTURES = 3
"""Frames of each free run that are decoded, evenly spaced: enough to order scenes by."""
_BLOCK = {"states": 200, "frames": 20}
"""Scenes at a time."""


@dataclass(frozen=True)
class Ranking:
    """Seeds from the easiest to the hardest."""

    seeds: Int[np.ndarray, " S"]
    errors: Float[np.ndarray, " S"]
    """Mean squared error of each scene's free run: of normalised states, or of pixels in 0 ... 1."""

    @staticmethod
    def of(seeds: Sequence[int], errors: Sequence[np.ndarray]) -> Ranking:
        """Put seeds in order by the errors of blocks of them; what is no number counts as the hardest."""
        values = np.concatenate([*errors, np.empty(0)]).astype(np.float64)
        wrong = np.nan_to_num(values, nan=np.finfo(np.float64).max)
        order = np.argsort(wrong, kind="stable")
        return Ranking(np.asarray(seeds[: len(wrong)], dtype=np.int64)[order], wrong[order])

    def easiest(self, count: int = 10) -> list[int]:
        """Seeds with the smallest errors, the smallest first."""
        return self.seeds[:count].tolist()

    def hardest(self, count: int = 10) -> list[int]:
        """Seeds with the largest errors, the largest first."""
        return self.seeds[::-1][:count].tolist()


def rank_seeds(
    checkpoint: Checkpoint,
    seeds: Sequence[int] = SEEDS,
    settings: Settings = STANDARD,
    tree: str | None = None,
    physics: str | None = None,
    progress: Callable[[int], object] | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Ranking:
    """Simulate every seed, let the checkpoint predict it, and order by the error beyond the last true input.

    States are compared at every free frame, pictures at :data:`PICTURES` of them. Errors that are no number
    count as the hardest.

    Args:
        tree: of the scenes, where it is not the checkpoint's own (image models only), with its ``physics``.
        progress: hears how many scenes are done.
        cache: a folder where the answer is kept, under a name of the checkpoint's weights and of all that is asked.

    Raises:
        ValueError: no seeds, a checkpoint that cannot predict these scenes, or settings that do not fit.
        OSError: the folder cannot be written.
    """
    data = checkpoint.header.config.data
    tree, physics = tree or data.tree, physics or data.physics
    if not len(seeds) or len(set(seeds)) != len(seeds):
        raise ValueError("there must be at least one seed, and each only once")
    if checkpoint.header.parts != "all":
        raise ValueError(f"{checkpoint.name} holds encoder and decoder only: it predicts nothing to rank by")
    file_cache = (
        None if cache is None else Path(cache) / f"ranking-{_name(checkpoint, seeds, settings, tree, physics)}.json"
    )
    if file_cache is not None and file_cache.is_file():
        try:
            record = json.loads(file_cache.read_bytes())
            return Ranking(np.array(record["seeds"], dtype=np.int64), np.array(record["errors"], dtype=np.float64))
        except (ValueError, KeyError, TypeError):
            pass  # a damaged note is written again
    errors, block = [], _BLOCK[checkpoint.model.observation]
    for start in range(0, len(seeds), block):
        part = [int(seed) for seed in seeds[start : start + block]]
        errors.append(scene_errors(checkpoint, part, settings, tree, physics))
        if progress:
            progress(start + len(part))
    ranking = Ranking.of(seeds, errors)
    if file_cache is not None:
        with replacing(file_cache) as file:
            file.write(json.dumps({"seeds": ranking.seeds.tolist(), "errors": ranking.errors.tolist()}).encode())
    return ranking


class Ranker:
    """Ranks in a thread of its own, a few scenes at a time, while somebody looks.

    Between blocks it gives the model back, so that whoever waits for a scene has a turn. When nobody has looked for
    ``patience`` seconds it rests, and goes on where it was at the next look. Of all rankers one works at a time.
    """

    BLOCK = 10
    _turn = threading.Lock()

    def __init__(
        self,
        checkpoint: Checkpoint,
        lock: threading.Lock,
        seeds: Sequence[int] = SEEDS,
        tree: str | None = None,
        physics: str | None = None,
        settings: Settings = STANDARD,
        patience: float = 10.0,
    ):
        data = checkpoint.header.config.data
        self.seeds, self.problem, self._patience = seeds, "", patience
        self._case = (settings, tree or data.tree, physics or data.physics)
        self._checkpoint, self._lock = checkpoint, lock
        self._errors: list[np.ndarray] = []
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._last_look = 0.0

    @property
    def seeds_done(self) -> int:
        """Seeds that are scored."""
        return min(len(self._errors) * self.BLOCK, len(self.seeds))

    @property
    def working(self) -> bool:
        """Whether there are seeds left to score; not so after a problem."""
        return self.seeds_done < len(self.seeds) and not self.problem

    def look(self) -> Ranking:
        """The ranking of what is scored by now; scoring goes on."""
        self._last_look = time.monotonic()
        with self._starting:
            if self.working and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="ranking", daemon=True)
                self._thread.start()
        return Ranking.of(self.seeds, list(self._errors))

    def wait(self) -> None:
        """Return when the thread rests."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        torch.set_num_threads(1)  # belongs to this thread: others should not wait for the machine
        with self._turn:
            while self.working:
                first = len(self._errors) * self.BLOCK
                block = [int(seed) for seed in self.seeds[first : first + self.BLOCK]]
                try:
                    with self._lock:
                        self._errors.append(scene_errors(self._checkpoint, block, *self._case))
                except (ValueError, RuntimeError) as error:
                    self.problem = str(error)
                if time.monotonic() - self._last_look > self._patience:
                    return


def scene_errors(
    checkpoint: Checkpoint, seeds: Sequence[int], settings: Settings, tree: str, physics: str
) -> Float[np.ndarray, " B"]:
    """Error of each seed's free run.

    Raises:
        ValueError: as :func:`rank_seeds`.
    """
    nodes = Tree.parse(tree)
    data = replace(checkpoint.header.config.data, tree=tree, physics=physics)
    return _errors(checkpoint, scenes_of(data, [int(seed) for seed in seeds]), nodes, settings)


def _errors(
    checkpoint: Checkpoint, scenes: Trajectories | Film, tree: Tree, settings: Settings
) -> Float[np.ndarray, " B"]:
    """Error of each scene's free run."""
    model = checkpoint.model
    if not isinstance(scenes, Film):
        check_systems(checkpoint, scenes, tree)
    if not model.sees_frames:
        assert not isinstance(scenes, Film)  # no config of states takes clips
        states = truth_of(checkpoint, scenes)["true_states"]
        types = None if scenes.adjacency is None else scenes.adjacency[:, model.senders, model.receivers]
        prediction = predict(checkpoint, torch.from_numpy(states), types, settings).slots.cpu().numpy()
        truth = states[:, :, model.tree.leaves] if model.joint_leaves else states
        free = _first_free(states.shape[1], settings)
        return np.square(prediction[:, free - 1 :] - truth[:, free:]).mean((1, 2, 3))
    if isinstance(scenes, Film):
        frames = scenes.frames
    else:
        frames = frames_of(checkpoint.header.config, scenes.positions, scenes.seeds, tree)
    slots = predict(checkpoint, encode(checkpoint, settings.intervention.cover(frames)), None, settings).slots
    times = frames.shape[1]
    frame_picks = np.unique(np.linspace(_first_free(times, settings), times - 1, PICTURES).round().astype(int))
    leaves = slots[:, frame_picks - 1][:, :, model.tree.leaves].flatten(0, 1).to(device_of(model))
    pictures, _ = decode(checkpoint, leaves)
    truth = frames[:, frame_picks].reshape(pictures.shape) / np.float32(255)
    return np.square(pictures - truth).mean((1, 2, 3)).reshape(len(frames), len(frame_picks)).mean(1)


def _first_free(times: int, settings: Settings) -> int:
    """The first frame whose prediction rests on a predicted input; the last frame where none does."""
    return min(times - settings.free_steps + 2, times - 1)


def digest(checkpoint: Checkpoint) -> str:
    """A name for exactly these weights and this configuration."""
    checksum = hashlib.sha256(json.dumps(checkpoint.header.config.to_dict(), sort_keys=True).encode())
    checksum.update(repr(checkpoint.header.normalisation).encode())
    for name, tensor in sorted(checkpoint.model.state_dict().items()):
        checksum.update(name.encode())
        checksum.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return checksum.hexdigest()


def _name(checkpoint: Checkpoint, seeds: Sequence[int], settings: Settings, tree: str, physics: str) -> str:
    """A name for a question; edits are named by what they do."""
    identity = [digest(checkpoint), [int(seed) for seed in seeds], tree, physics, *settings.identity]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:24]

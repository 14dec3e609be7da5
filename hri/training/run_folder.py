"""The run folder: config, metrics, checkpoints and a state to resume from, each file whole at any moment."""

from __future__ import annotations

import dataclasses
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from hri.core.config import Config, to_json
from hri.core.errors import sentence
from hri.core.files import replacing
from hri.model import checkpoint
from hri.model.checkpoint import Header
from hri.model.model import Model
from hri.training.control import FolderClaim, Wish, read_wish
from hri.training.events import Events, events_file
from hri.training.watching import write_picture

PATIENCE = 0.2
"""Seconds between two looks while paused."""


@dataclass
class State:
    """What resuming needs beside weights and optimiser: chance is a function of the update."""

    update: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    norms: list[float] = field(default_factory=list)
    """Recent gradient norms."""
    scaler: dict[str, Any] = field(default_factory=dict)
    """Loss scaling of fp16."""


class Run:
    """One training run in one folder.

    | file                | what it is                                          |
    |---------------------|-----------------------------------------------------|
    | config.json         | the whole config                                    |
    | metrics.jsonl       | one object a line: update, stage, losses, ...       |
    | last, best .safetensors | checkpoints, loadable anywhere                  |
    | snapshots/*.safetensors | checkpoints over the course of stage 2          |
    | pictures/*.npz      | one scene at the same moments (hri/training/watching.py)     |
    | state.safetensors   | weights, optimiser and counters of the same moment  |
    | log.txt             | start, resume, stage and stop messages              |
    | process.json, ...   | who trains here and what is asked (hri/training/control.py)  |
    """

    def __init__(self, folder: Path, config: Config, resume: bool, main: bool = True):
        """Open a new folder, or an old one to go on.

        Raises:
            ValueError: it holds a run already and ``resume`` is off, or a run of another config.
            OSError: it cannot be made or written.
        """
        self.folder, self.main = folder, main
        self.stage_done = 0
        self.stopped = False
        """Whether it ended because it was asked to."""
        config_file, state_file = folder / "config.json", folder / "state.safetensors"
        self._header: dict[str, Any] | None = None
        if config_file.exists() and (main or resume):  # the main process may have made it a moment ago
            if not resume:
                raise ValueError(
                    f"{folder} already holds a run; add --resume to go on with it, or choose another folder"
                )
            try:
                stored = Config.from_dict(json.loads(config_file.read_text()))
            except (json.JSONDecodeError, ValueError) as error:
                raise ValueError(f"{config_file} cannot be read ({error}); restore it or start a new run") from None
            if stored != config:
                raise ValueError(
                    f"{folder} holds a run of another config; resume it with the settings in its config.json, or "
                    "choose another folder"
                )
            if state_file.exists():
                self._header = self._read_state_header()
                self.stage_done = self._header["stage"] - (0 if self._header["finished"] else 1)
        elif main:
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(config_file) as file:
                file.write(to_json(config).encode())
        self._metrics: TextIO | None = None
        self._events: Events | None = None
        self._claim = FolderClaim(folder) if main else None
        if self._claim is not None:
            try:
                for leftover in folder.glob("**/*.part"):  # of a process that was killed while it wrote
                    leftover.unlink(missing_ok=True)
                self._cut_metrics()
                self.note("resumed" if self._header else "started")
                self._metrics = open(folder / "metrics.jsonl", "a")  # noqa: SIM115
                self._events = events_file(folder / "tensorboard")
            except BaseException:
                if self._metrics is not None:
                    self._metrics.close()
                self._claim.release()
                raise
        self._hours: dict[str, float] = dict(self._header["hours"]) if self._header else {}
        self._steps: dict[str, int] = dict(self._header["steps"]) if self._header else {}

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for log in (self._metrics, self._events):
            if log is not None:
                with suppress(OSError):  # every line was flushed when it was written; a full disk was said there
                    log.close()
        if self._claim is not None:
            if isinstance(error, Exception):
                with suppress(OSError):  # a full disk is said by the error itself
                    self._claim.tell("failed", sentence(error) or f"{type(error).__name__}: {error}")
            else:
                self._claim.tell("finished" if error is None and not self.stopped else "stopped")
            self._claim.release()

    @property
    def wish(self) -> Wish:
        """What is asked of this run by the main process.

        Raises:
            ValueError: the folder has gone.
        """
        if self.main and not self.folder.is_dir():
            raise ValueError(f"the folder {self.folder} was deleted while it trained there; nothing of it is left")
        return read_wish(self.folder) if self.main else "go"

    def pause(self) -> None:
        """Wait until more than a pause is asked for."""
        self.note("paused")
        if self._claim is not None:
            self._claim.tell("paused")
        while self.wish == "pause":
            time.sleep(PATIENCE)
        self.note("goes on")
        if self._claim is not None:
            self._claim.tell("running")

    def note(self, text: str) -> None:
        """A line in log.txt."""
        if self.main:
            with open(self.folder / "log.txt", "a") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def done(self, stage: int) -> bool:
        """Whether the folder's state is past this stage."""
        return stage <= self.stage_done

    def log(self, record: dict[str, Any], always: bool) -> None:
        """One line of metrics.jsonl (every tenth update unless ``always``)."""
        if self._metrics is None or not (always or record["update"] % 10 == 1):
            return
        self._metrics.write(json.dumps(record) + "\n")
        self._metrics.flush()
        if self._events is not None:
            values = {f"stage{record['stage']}/{name}": v for name, v in record.items() if isinstance(v, float)}
            self._events.add(values, record["update"])

    def describe(self, header: Header, stage: int, update: int, seconds: float, validation: dict[str, Any]) -> Header:
        """The header of a checkpoint made now; what ``header`` has of this stage already came before this run."""
        name = f"stage{stage}"
        self._steps[name] = header.steps.get(name, 0) + update
        self._hours[name] = round(header.hours.get(name, 0.0) + seconds / 3600, 4)
        only_vision = header.config.model.sees_frames and stage == 1
        return dataclasses.replace(
            header,
            parts="vision" if only_vision else "all",
            metrics={"validation": validation},
            steps=header.steps | self._steps,
            hours=header.hours | self._hours,
        )

    def save_checkpoints(self, model: Model, header: Header, better: bool) -> None:
        """last.safetensors, and best.safetensors when validation says so."""
        if self.main:
            checkpoint.save(self.folder / "last.safetensors", model, header)
            if better:
                checkpoint.save(self.folder / "best.safetensors", model, header)
            if header.config.train.snapshots:
                self._snapshot(model, header)

    def _snapshot(self, model: Model, header: Header) -> None:
        """Keep what was just saved, and how one scene looks by now."""
        most = header.config.train.snapshots
        pictures = self.folder / "pictures"
        pictures.mkdir(exist_ok=True)
        stage = 2 if header.parts == "all" else 1
        try:
            write_picture(pictures / f"{stage}-{header.steps[f'stage{stage}']:09}.npz", model, header)
        except RuntimeError as error:  # such as memory that a device lacks: a picture less is no reason to stop
            self.note(f"no picture after {header.steps[f'stage{stage}']} updates of stage {stage} ({error})")
        _thin(pictures, f"{stage}-*.npz", most)
        if stage == 2:
            snapshots = self.folder / "snapshots"
            snapshots.mkdir(exist_ok=True)
            with replacing(snapshots / f"{header.steps['stage2']:09}.safetensors") as file:
                file.write((self.folder / "last.safetensors").read_bytes())
            _thin(snapshots, "*.safetensors", most)

    def save_state(
        self,
        stage: int,
        model: Model,
        optimiser: Any,
        names: list[str],
        state: State,
        averaged: dict[str, torch.Tensor] | None = None,
    ) -> None:
        """Everything resuming needs, in one file that replaces the last one whole.

        Args:
            averaged: the running average of weights (:class:`hri.training.optimiser.Averaged`), where there is one.
        """
        if not self.main:
            return
        tensors = {f"model.{name}": value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
        tensors |= {f"average.{name}": value.cpu().contiguous() for name, value in (averaged or {}).items()}
        for group in optimiser.param_groups:
            for name, parameter in zip(names, group["params"], strict=True):
                for key, value in optimiser.state.get(parameter, {}).items():
                    tensors[f"optimiser.{key}.{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
        header = dataclasses.asdict(state) | {
            "stage": stage,
            "finished": False,
            "hours": self._hours,
            "steps": self._steps,
        }
        header["finished"] = state.update >= self._planned(stage, model)
        with replacing(self.folder / "state.safetensors") as file:
            file.write(to_bytes(tensors, metadata={"run": json.dumps(header)}))

    def restore_weights(self, model: Model, stage: int) -> None:
        """Weights of an earlier stage, before a later one is set up."""
        if self._header is not None and self._header["stage"] <= stage:
            with safe_open(self.folder / "state.safetensors", framework="pt") as file:
                model.load_state_dict(
                    {name[6:]: file.get_tensor(name) for name in file.keys() if name.startswith("model.")}  # noqa: SIM118
                )

    def restore(self, stage: int, model: Model, optimiser: torch.optim.Optimizer, names: list[str]) -> State:
        """Put the optimiser where the state was saved, if it was in this stage."""
        if self._header is None or self._header["stage"] != stage:
            return State()
        with safe_open(self.folder / "state.safetensors", framework="pt") as file:
            keys = [key for key in file.keys() if key.startswith("optimiser.")]  # noqa: SIM118
            by_name: dict[str, dict[str, torch.Tensor]] = {}
            for key in keys:
                _, slot, name = key.split(".", 2)
                by_name.setdefault(name, {})[slot] = file.get_tensor(key)
        states = {index: by_name[name] for index, name in enumerate(names) if name in by_name}
        optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
        fields = {f.name for f in dataclasses.fields(State)}
        return State(**{name: value for name, value in self._header.items() if name in fields})

    def restored_average(self) -> dict[str, torch.Tensor]:
        """The running average of weights at the moment that is resumed from."""
        with safe_open(self.folder / "state.safetensors", framework="pt") as file:
            names = [name for name in file.keys() if name.startswith("average.")]  # noqa: SIM118
            return {name[len("average.") :]: file.get_tensor(name) for name in names}

    def finish(self, stage: int) -> None:
        """The stage is over."""
        self.note(f"stage {stage} finished")
        self.stage_done = stage

    def _planned(self, stage: int, model: Model) -> int:
        config = Config.from_dict(json.loads((self.folder / "config.json").read_text())).train
        return config.stage1_updates if stage == 1 else config.updates

    def _read_state_header(self) -> dict[str, Any]:
        path = self.folder / "state.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                return json.loads((file.metadata() or {})["run"])
        except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is damaged ({error}); start a new run, or go on from last.safetensors") from None

    def _cut_metrics(self) -> None:
        """Drop lines after the saved state, and a half-written last one: resuming writes them again."""
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return
        reached = (self._header["stage"], self._header["update"]) if self._header else (0, 0)
        lines = []
        for line in path.read_text().splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                break
            if (record["stage"], record["update"]) <= reached:
                lines.append(line + "\n")
        with replacing(path) as file:
            file.write("".join(lines).encode())


def _thin(folder: Path, pattern: str, most: int) -> None:
    """Of too many files every other one goes; the newest stays."""
    files = sorted(folder.glob(pattern))
    if len(files) > most:
        for path in files[-2::-2]:
            path.unlink(missing_ok=True)

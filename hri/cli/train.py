"""The commands ``train`` and ``queue``: a training, and those that wait in a folder of runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import tyro

from hri.cli.checkpoints import find_checkpoint
from hri.cli.terminal import FIRST_PROCESS, answer, listed, training_bar
from hri.core.config import Config, DataConfig, ModelConfig, TrainConfig
from hri.core.presets import preset as named_preset
from hri.data.sources import begun, source_of
from hri.model.commands import START


def training(flags: Sequence[str] = (), typed: Sequence[str] = ()) -> Callable[..., object]:
    """The command ``train``; its flags start from the preset among them.

    Args:
        flags: what follows the word "train".
        typed: the whole command, for the header of its checkpoints.

    Raises:
        ValueError: unknown preset.
    """
    start, given = Config(), {}
    for word, following in pairwise([*flags, ""]):
        name, is_joined, value = word.partition("=")
        given[name] = value if is_joined else following
    if given.get("--preset"):
        flag = source_of(named_preset(given["--preset"]).data).folder_flag
        start = begun(given["--preset"], given.get(flag, "") if flag else "")

    def train(
        preset: str,
        run: Annotated[Path, tyro.conf.arg(aliases=["--folder"])],
        updates: int | None = None,
        stage1_updates: int | None = None,
        seed: int | None = None,
        resume: bool = False,
        vision_from: Path | None = None,
        refine: bool = False,
        estimate: bool = False,
        estimate_gpu: bool = False,
        device: str = "auto",
        data: DataConfig = start.data,
        model: ModelConfig = start.model,
        train: TrainConfig = start.train,
    ) -> None:
        """Train a model: first to reconstruct frames (images only), then to predict.

        The folder gets config.json, metrics.jsonl (one object a line), log.txt, last.safetensors and
        best.safetensors (whole checkpoints) and the state to resume from. Every setting of the experiment is a flag
        below; those not given are the preset's. A run that was stopped goes on with the same command and --resume.

        Several processes: accelerate launch -m hri train ..., or torchrun --nproc-per-node 2 -m hri train ... with
        --folder for --run.

        Example: python -m hri train --preset springs-4-3-state-hri --run runs/first --updates 500

        Args:
            preset: Named experiment springs-TREE-SEEN-VARIANT, such as springs-4-3-slot-hri. TREE: 4-3 or 3-3.
                SEEN: state, slot or par (the paper's SlotDec and ParDec), overlap or strided (ours).
                VARIANT: hri, hri-h, hri-gt, nri, nri-lo, nri-gt, fcmp, lstm, lstm-lo, or the
                controls nri-residual, hri-h-one (edges see the latest state only) and hri-h-published. Or without a
                hierarchy springs5-state-VARIANT or charged5-state-VARIANT, of any 2 to 100 balls. Or BODY-SEEN-
                VARIANT: mocap or human36m with hri, hri-h, nri, lstm or, of states, nri-mlp;
                --data.motion.folder names the recordings. Or
                CLIPS-SEEN-VARIANT: kth or walker, slot or par, or people; --data.clips.folder names the clips. Or
                own-state-VARIANT: hri, nri, nri-mlp or lstm on what `data trajectories` made; --data.own.folder names
                its folder, and how long and on what windows is trained follows from what is in it.
            run: Folder of this run. (On Python 3.11 torchrun takes --run for an option of its own.)
            updates: Short for --train.updates, the updates of stage 2.
            stage1_updates: Short for --train.stage1-updates.
            seed: Short for --train.seed.
            resume: Go on with the run in the folder, to the same numbers as if it had never stopped.
            vision_from: Take encoder and decoder of this checkpoint and skip stage 1.
            refine: Go on with stage 1 from the checkpoint of --vision-from instead of skipping it.
            estimate: Train nothing; time a few updates and print hours and memory (MB) as a JSON object.
            estimate_gpu: Train nothing; count the arithmetic of an update and print the hours that it would take on a
                GPU which is not here, at an assumed rate, as a JSON object.
            device: auto (CUDA where there is one), cpu, cuda or cuda:1. On CUDA whole updates run as one CUDA graph.
            data: Where sequences come from.
            model: What the model is made of.
            train: How it is trained.
        """
        choices = {"updates": updates, "stage1_updates": stage1_updates, "seed": seed}
        short: dict[str, Any] = {name: value for name, value in choices.items() if value is not None}
        config = Config(preset, source_of(data).fitting(), model, dataclasses.replace(train, **short))
        source = str(find_checkpoint(vision_from)) if vision_from else None
        if estimate:
            from hri.training.estimate import estimate as timed

            answer(timed(config, source or "").to_dict(), True, "")
            return
        if estimate_gpu:
            from hri.training.gpu_estimate import gpu_estimate

            answer(gpu_estimate(config, source or ""), True, "")
            return
        from hri.training.loop import train as reports

        validation: dict[str, Any] = {}
        with training_bar(config.name, config.data.train) as show:
            for report in reports(config, run, resume, source, (*START, *typed), refine, device):
                show(report)
                validation = report.validation or validation
        if FIRST_PROCESS:
            best = run / "best.safetensors"
            place = f"the best checkpoint is {best}" if best.exists() else f"the run is in {run}"
            print(f"{place}{f'; last validation: {listed(validation)}' if validation else ''}")

    return train


def queue(folder: Path = Path("runs")) -> None:
    """Start the trainings that wait in a folder of runs, in turn; the Train page does this by itself.

    Ends when nothing waits and nothing that it started is left. How many train at once is set on the page.

    Example: python -m hri queue --folder runs

    Args:
        folder: Where the runs are.
    """
    from hri.experiments.queueing import serve

    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}; name the one that holds the runs")
    if not serve(folder):
        raise ValueError(f"another queue serves {folder} already")

"""What made a checkpoint: as data, as text, and as much of it as made the encoder and decoder."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from hri.core.config import Config
from hri.core.places import CHECKPOINTS
from hri.model.checkpoint import Header, read_header
from hri.model.commands import START, Command, from_text, of_vision, text_of

SEES = Command((*START, "train", "--run", "runs/a b", "--updates", "0"), (1,))
REFINES = Command((*START, "train", "--run", "runs/b", "--refine", "--updates", "5"), (1, 2))
PREDICTS = Command((*START, "train", "--run", "runs/c"), (2,))
IMPORTS = Command((*START, "import", "model_all.pt"))


def test_commands_survive_a_header_which_also_holds_their_text() -> None:
    header = Header(Config(), commands=(SEES, PREDICTS))
    assert header.command == f"python -m hri train --run 'runs/a b' --updates 0\n{' '.join(PREDICTS.words)}"
    assert Header.from_json(header.to_json()) == header
    assert header.history() == (SEES, PREDICTS)
    assert dataclasses.replace(header, commands=(IMPORTS,)).command == "python -m hri import model_all.pt"


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        ("train", "not a list of words and stages"),
        ([{"words": ["train"]}], "not a list of words and stages"),
        ([{"words": "train", "stages": []}], "not a list of words"),
        ([{"words": ["train"], "stages": [3]}], "other stages than 1 and 2"),
        ([{"words": ["train"], "stages": [[1]]}], "other stages than 1 and 2"),
    ],
)
def test_commands_that_are_none_are_refused(commands: object, said: str) -> None:
    values = json.loads(Header(Config()).to_json()) | {"commands": commands}
    with pytest.raises(ValueError, match=said):
        Header.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("commands", "updates"),
    [
        ([SEES], ["stage1"]),
        ([SEES, PREDICTS], ["stage1", "stage2"]),
        ([SEES, REFINES], ["stage1", "stage2"]),
        ([SEES, REFINES, PREDICTS], ["stage1", "stage2"]),
        ([PREDICTS], ["stage2"]),
        ([IMPORTS], []),
        ([], []),
    ],
)
def test_older_headers_tell_by_their_text_and_updates_what_each_command_trained(
    commands: Sequence[Command], updates: Sequence[str]
) -> None:
    older = [*(dataclasses.replace(command, stages=(1,)) for command in commands[:-1]), *commands[-1:]]
    assert from_text(text_of(commands), dict.fromkeys(updates, 5)) == tuple(older)


@pytest.mark.parametrize(
    ("commands", "made"),
    [
        ([SEES, PREDICTS], [SEES]),
        ([SEES, REFINES, PREDICTS], [SEES, (*REFINES.words[:-2], "--updates", "0")]),
        ([IMPORTS, PREDICTS], [IMPORTS]),
        ([PREDICTS], []),
        ([Command((), (1, 2)), PREDICTS], [()]),
        (
            [Command(("train", "--updates=5", "--train.updates", "6", "--seed", "1"), (1, 2))],
            [
                ("train", "--seed", "1", "--updates", "0"),
            ],
        ),
    ],
)
def test_encoder_and_decoder_come_from_the_commands_that_trained_them(
    commands: Sequence[Command], made: Sequence[Command | tuple[str, ...]]
) -> None:
    wanted = [command if isinstance(command, Command) else Command(command, (1,)) for command in made]
    assert of_vision(commands) == tuple(wanted)


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.safetensors")), ids=lambda path: path.stem)
def test_the_text_of_stored_checkpoints_reads_as_commands_and_back(path: Path) -> None:
    header = read_header(path)
    assert text_of(header.history()) == header.command
    stages = [command.stages for command in header.history()]
    assert stages[-1] in ([(2,), (1, 2)] if "stage2" in header.steps else [(1,)])
    assert all(one == (1,) for one in stages[:-1])

"""The front door, ``python -m hri COMMAND ...``: which command of :mod:`hri.cli.main`, and one line for every mistake.

A command's answer goes to standard output, everything else (progress, mistakes) to standard error.
"""

from __future__ import annotations

import inspect
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hri.cli.terminal import PROGRAM, complain
from hri.core.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from tyro import _errors as parsing


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code: 0, or 1 for a mistake, 2 for no command, 130 for Ctrl-C."""
    try:
        return run(list(arguments))
    except KeyboardInterrupt:
        resume = {"train": "; go on with the same command and --resume", "reproduce": "; go on with the same command"}
        return complain(f"stopped{resume.get(arguments[0], '')}", 130)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if (text := sentence(error)) is None:
            raise
        return complain(text)


def run(arguments: list[str]) -> int:
    """Find the command, read its flags, call it.

    Raises:
        ValueError: unknown command or flags that do not fit, and what the command itself raises.
    """
    if arguments[:1] == ["train-many"]:  # it must run where tyro is not installed
        from hri.cli.many import train_many

        return train_many(arguments[1:])
    import tyro
    from tyro import _errors as parsing  # private, and pinned: the only way to an error of one line
    from tyro.conf import AvoidSubcommands, DisallowNone, FlagCreatePairsOff

    from hri.cli.main import COMMANDS
    from hri.cli.train import training

    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"usage: {PROGRAM} COMMAND ...\n\nHierarchical Relational Inference: simulate, train, predict.\n")
        for name, command in COMMANDS.items():
            print(f"  {name:12}{(inspect.getdoc(command) or '').splitlines()[0]}")
        print(f"\n`{PROGRAM} COMMAND --help` says more about each.")
        return 0 if arguments else 2
    name, *flags = arguments
    if name not in COMMANDS:
        raise ValueError(f"unknown command {name!r}; choose from {', '.join(COMMANDS)}")
    if name == "rollout" and flags and not flags[0].startswith("-"):
        flags = ["--checkpoint", *flags]
    command = training(flags, arguments) if name == "train" else COMMANDS[name]
    with parsing.on_parse_error(refuse):
        markers = FlagCreatePairsOff, AvoidSubcommands, DisallowNone
        tyro.cli(command, prog=f"{PROGRAM} {name}", description=description(command), args=flags, config=markers)
    return 0


def description(command: Callable[..., object]) -> str:
    """The docstring without its arguments, in hanging paragraphs: tyro joins lines that begin with a letter."""
    text = (inspect.getdoc(command) or "").partition("\nArgs:\n")[0]
    fill = textwrap.TextWrapper(min(shutil.get_terminal_size().columns, 80), "", "  ", break_on_hyphens=False).fill
    return "\n\n".join(fill(" ".join(paragraph.split())) for paragraph in text.strip().split("\n\n"))


def refuse(event: parsing.ParseErrorEvent) -> None:
    """What is wrong with the flags, as one sentence."""
    from tyro import _errors as parsing

    more = f"see `{event.prog} --help`"
    if isinstance(event, parsing.MissingArgs) and not event.unrecognized_tokens:
        needed = ", ".join(_name(missing.arg) for missing in event.missing_arguments)
        raise ValueError(f"{needed} must be given; {more}")
    if isinstance(event, parsing.UnrecognizedArgs | parsing.MissingArgs):
        tokens = event.tokens if isinstance(event, parsing.UnrecognizedArgs) else event.unrecognized_tokens
        raise ValueError(f"unknown option {' '.join(tokens)}; {more}")
    if isinstance(event, parsing.InvalidChoice):
        raise ValueError(f"{_name(event.argument)} is {event.value!r}; choose from {', '.join(event.choices)}")
    if isinstance(event, parsing.BadValue):
        raise ValueError(f"{_name(event.argument)} needs a value; {more}")
    if isinstance(event, parsing.InstantiationFailure) and event.argument is not None:
        raise ValueError(f"{_name(event.argument)} cannot be read ({event.message}); {more}")
    raise ValueError(f"the options do not fit together; {more}")


def _name(argument: object) -> str:
    return argument.lowered.name_or_flags[-1]  # type: ignore[attr-defined]


def command() -> int:
    """The console script ``hri``."""
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(command())

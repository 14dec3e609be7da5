"""Where the project lies: folders that commands and pages find by themselves."""

from __future__ import annotations

from pathlib import Path

CODE = Path(__file__).parents[2]
"""Folder from which Python imports this package: the repository, or where pip has put it."""
ROOT = CODE if (CODE / "pyproject.toml").is_file() else Path.cwd()
"""Of the project: the repository; for an installed package the folder that a command runs in. Nothing of the project's
is looked for, or written, among other people's packages."""
CHECKPOINTS = ROOT / "checkpoints"
RESULTS = ROOT / "assets" / "results"

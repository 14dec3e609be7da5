"""Where the project lies: folders that commands and pages find by themselves."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Of the repository, or of the folder that an installed package lies in."""
CHECKPOINTS = ROOT / "checkpoints"
RESULTS = ROOT / "assets" / "results"

"""The package as ``pip install .`` leaves it: all of its files, a command ``hri``, no repository around it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from hri.core.places import CODE

ROOT = Path(__file__).parents[2]
BUILD = "from setuptools import build_meta; build_meta.build_wheel('built')"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a wheel of the repository unpacks to."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "hri", folder / "hri", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "built").mkdir()
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
    (wheel,) = (folder / "built").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")
    return folder / "installed"


@pytest.fixture
def hri(installed: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Calls what the console script calls, in an empty folder."""
    (entry,) = (info.entry_points for info in Distribution.discover(path=[str(installed)]))
    (script,) = entry
    assert (script.group, script.name) == ("console_scripts", "hri")
    program = f"import sys; from {script.module} import {script.attr} as call; sys.exit(call())"
    environment = {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_wheel_holds_every_file_of_the_package_and_names_its_command(installed: Path) -> None:
    listed = {path.relative_to(installed) for path in (installed / "hri").rglob("*") if path.is_file()}
    there = {path.relative_to(ROOT) for path in (ROOT / "hri").rglob("*") if path.is_file()}
    assert listed == {path for path in there if "__pycache__" not in path.parts}
    (metadata,) = installed.glob("*.dist-info")
    entry_points = configparser.ConfigParser()
    entry_points.read(metadata / "entry_points.txt")
    assert dict(entry_points["console_scripts"]) == {"hri": "hri.__main__:command"}
    (package,) = Distribution.discover(path=[str(installed)])
    wanted = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line]
    assert [line for line in package.requires or [] if "extra" not in line] == wanted


def test_an_installed_command_works_in_an_empty_folder(
    hri: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert "simulate" in hri("--help").stdout
    made = hri("simulate", "--tree", "4-3", "--seeds", "42:44", "--steps", "300", "--out", "two.npz")
    assert (made.returncode, made.stderr) == (0, "")
    assert (tmp_path / "two.npz").is_file()


def test_an_installed_command_finds_checkpoints_in_the_folder_it_runs_in(
    hri: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    mistake = hri("evaluate", "--checkpoint", "springs-4-3-state-hri")
    assert mistake.returncode == 1
    assert f"no folder {tmp_path / 'checkpoints'} that could hold a checkpoint of that name" in mistake.stderr
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "empty.safetensors").touch()
    assert "empty.safetensors is empty (0 bytes)" in hri("evaluate", "--checkpoint", "empty").stderr


def test_from_the_repository_the_project_is_the_repository_wherever_a_command_runs(tmp_path: Path) -> None:
    program = "from hri.core.places import CHECKPOINTS; print(CHECKPOINTS)"
    environment = {**os.environ, "PYTHONPATH": str(CODE)}
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, env=environment, text=True)
    assert Path(printed.strip()) == ROOT / "checkpoints"

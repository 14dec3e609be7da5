"""Getting recordings by package name: only what is asked for, and each mishap of a download in one sentence."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hri.__main__ import main
from hri.data import windows
from hri.data.formats import demo, people
from hri.data.motion import MotionSet
from tests.bodies import recorded
from tests.motions import wandering

CONTENT = b"0123456789" * 20_000
WHEEL = "tiny-1.0-py3-none-any.whl"


def wheel() -> bytes:
    """A package that ships one file, stored as it is."""
    about = "tiny-1.0.dist-info"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tiny/data.bin", CONTENT)
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return file.getvalue()


@dataclasses.dataclass
class Index:
    """A package index on this machine, which can break off in the middle of a file."""

    archive: bytes
    broken: bool = False
    requests: int = 0


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    here = Index(wheel())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_file = self.path.endswith(".whl")
            here.requests += is_file
            body = here.archive if is_file else f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if is_file else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if is_file and here.broken else body)

        def log_message(self, *_: object) -> None:
            return

    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    settings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"http://127.0.0.1:{server.server_port}/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RESUME_RETRIES": "0",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    tiny = demo.DemoPackage(
        "tiny==1.0", hashlib.sha256(here.archive).hexdigest(), 0.2, "MIT", True, ("tiny/data.bin",), "digits"
    )
    monkeypatch.setattr(demo, "LARGE", (dataclasses.replace(tiny, named=("digits.bin",)),))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


def test_mishaps_of_a_download_are_one_sentence_and_what_comes_whole_is_taken(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(code: int) -> str:
        assert main(["data", "fetch-demo", "--only", "tiny", "--out", str(tmp_path / "out"), "--json"]) == code
        out, err = capsys.readouterr()
        announced, *rest = err.splitlines()
        assert announced == "downloading tiny==1.0 (0.2 MB, licence MIT): digits"
        assert len(rest) == code
        assert code == 0 or not list((tmp_path / "out").iterdir())
        return out if code == 0 else rest[0]

    index.broken = True
    assert re.search("(broke off|half a download).*; nothing was taken: try again", fetch(1))  # pip differs with age
    assert index.requests
    index.broken, whole = False, index.archive
    index.archive = whole.replace(CONTENT, CONTENT[::-1])
    assert "another hash than the archive that is known here" in fetch(1)
    index.archive = whole
    answer = json.loads(fetch(0))
    assert (tmp_path / "out" / "digits.bin").read_bytes() == CONTENT
    assert (answer["downloaded"], answer["files"], answer["licences"]) == (
        ["tiny==1.0"],
        ["digits.bin"],
        {"digits.bin": "MIT"},
    )
    assert "motion" not in answer
    (tmp_path / "out" / "digits.bin").unlink()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert "tiny==1.0 could not be downloaded" in (sentence := fetch(1))
    assert sentence.endswith("try again with a network")


def test_large_packages_are_got_only_by_name() -> None:
    assert [source.name for source in demo.sources_named("")] == ["isaaclab", "bvhtoolbox", "sports2d"]
    assert [source.name for source in demo.sources_named("pybullet, isaaclab")] == ["isaaclab", "pybullet"]
    with pytest.raises(ValueError, match=r"package 'kitti'; choose from .* pybullet \(103 MB\), pose2sim \(51 MB\)"):
        demo.sources_named("sports2d,kitti")
    everything = [name for source in demo.SOURCES + demo.LARGE for name in source.files]
    assert len(everything) == len(set(everything)) == 34, "files of all packages can lie in one folder"


def test_only_belongs_to_recordings_that_are_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "kth", "KTH", "--only", "pybullet"]) == 1
    assert capsys.readouterr().err == "hri: --only belongs to `data fetch-demo`\n"


def as_if_fetched(folder: Path) -> None:
    """Files of the names that pybullet's motions have; isaaclab's are others'."""
    for seed, name in enumerate(next(source for source in demo.LARGE if source.name == "pybullet").files):
        wandering(folder / name, seed)


def test_motions_of_one_body_become_a_set_with_each_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    as_if_fetched(tmp_path)
    words = ["data", "fetch-demo", "--only", "pybullet", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["downloaded"] == []
    kinds, takes = (MotionSet.read(Path(answer[name])) for name in ("motion", "takes"))
    named = {split: [recording.name for recording in kinds.of(split)] for split in ("train", "validation", "test")}  # type: ignore[arg-type]
    assert named["train"] == answer["recordings"]["train"] == [recording.name for recording in takes.of("train")]
    assert named["test"] == answer["recordings"]["test of kinds"] == ["jump", "kick", "spinkick", "punch"]
    assert [recording.name for recording in takes.of("test")] == answer["recordings"]["test of takes"]
    assert named["validation"] == [recording.name for recording in takes.of("validation")]
    assert {recording.fps for recording in kinds.recordings} == {30.0}
    assert main(words) == 0, "again, without a network"


def test_one_data_set_does_not_take_the_place_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    as_if_fetched(tmp_path)
    recorded(tmp_path)
    before = (tmp_path / windows.FILE).read_bytes()
    for only in ("", "pybullet", "isaaclab"):
        assert main(["data", "fetch-demo", "--only", only, "--out", str(tmp_path)]) == 1
        assert "is of other recordings; name another folder with --out" in capsys.readouterr().err
    assert (tmp_path / windows.FILE).read_bytes() == before
    (tmp_path / windows.FILE).write_bytes(b"half")
    assert main(["data", "fetch-demo", "--only", "pybullet", "--out", str(tmp_path)]) == 0
    assert len(MotionSet.read(tmp_path / windows.FILE).recordings) == 15
    shutil.rmtree(tmp_path / people.FOLDERS["takes"])

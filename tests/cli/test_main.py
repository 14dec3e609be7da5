"""``python -m hri``: its answers, its files, and one line for every mistake."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hri.__main__ import main
from hri.cli import checkpoints as checkpoints_cli
from hri.cli import main as cli
from hri.core.files import read_npz, write_npz
from hri.core.presets import preset
from hri.core.records import Normalisation, Rollout
from hri.experiments import bench
from hri.model.checkpoint import Header, load, read_header, save
from hri.model.model import Model

ROOT = Path(__file__).parents[2]
SMALL = ["--data.train", "8", "--data.validation", "2", "--train.batch", "4", "--updates", "3"]


class Answer:
    """What one command did: exit code, standard output, standard error."""

    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    def is_one_line(self) -> bool:
        return bool(re.fullmatch(r"hri: [^\n]+\n", self.err)) and self.out == ""


Command = Callable[..., Answer]


@pytest.fixture
def hri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Answer:
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:  # how tyro ends after --help
            code = int(stop.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


def process(*words: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "hri", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with fresh checkpoints state, slot and alone (encoder and decoder), and a simulation."""
    folder = tmp_path_factory.mktemp("stored")
    torch.manual_seed(0)
    for name, kind, parts in (
        ("state", "state-hri-h", "all"),
        ("slot", "slot-hri-h", "all"),
        ("alone", "par-hri", "vision"),
    ):
        config = preset(f"springs-4-3-{kind}")
        header = Header(config, parts=parts, normalisation=Normalisation(-1.0, 1.0, -5.0, 5.0))  # type: ignore[arg-type]
        save(folder / f"{name}.safetensors", Model(config), header)
    assert main(["simulate", "--tree", "4-3", "--seeds", "42:44", "--out", str(folder / "two.npz")]) == 0
    return folder


# Help


def test_the_list_of_commands_stands_alone(hri: Command) -> None:
    told = hri("--help")
    assert told.code == 0
    for name, command in cli.COMMANDS.items():
        assert f"  {name}" in told.out
        assert (command.__doc__ or "").splitlines()[0] in told.out
    assert hri().code == 2


def test_help_waits_for_neither_torch_nor_numba(tmp_path: Path) -> None:
    program = (
        "import sys, hri.__main__ as hri; hri.main(['--help']); assert not {'torch', 'numba'} & sys.modules.keys()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, capture_output=True)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str, hri: Command) -> None:
    told = hri(name, "--help")
    assert told.code == 0
    assert f"Example: python -m hri {name}" in " ".join(told.out.split())
    assert max(len(line) for line in told.out.splitlines()[1:]) <= 80
    assert "None}" not in told.out


def test_every_setting_is_a_flag_of_train_and_starts_from_the_preset(hri: Command) -> None:
    told = hri("train", "--preset", "springs-3-3-slot-nri", "--help").out
    words = told.split()
    for flag in (
        "--train.batch",
        "--model.relations.edge-types",
        "--data.train",
        "--model.vision.decoder",
        "--data.render.grey",
    ):
        assert flag in words
    assert "(default: 3-3)" in " ".join(words)
    assert "--model.vision.decoder" not in hri("train", "--preset", "springs-3-3-state-nri", "--help").out


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["simulate", "--tree", "4-3", "--seeds", "3"]])
def test_help_and_simulation_do_not_wait_for_torch(words: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom hri.__main__ import main\n"
        f"try: main({words})\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.returncode == 0, done.stderr


# Simulate


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05")])
def test_simulate_equals_the_published_systems(tree: str, physics: str, hri: Command, reference: Path) -> None:
    assert hri("simulate", "--tree", tree, "--config", physics, "--seeds", "42:46", "--frames").code == 0
    ours = read_npz("simulation.npz")
    theirs = read_npz(reference / "springs" / f"springs_{tree}_{physics}_seeds_42-45.npz")
    for name in ("positions", "velocities"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-6)
    for name in ("adjacency", "possible"):
        assert (ours[name] == theirs[name]).all()
    drawn = ours["frames"][: len(theirs["frames"])].astype(float)
    assert np.abs(drawn - theirs["frames"]).mean() <= 0.5


def test_simulate_writes_what_it_promises(hri: Command) -> None:
    told = hri("simulate", "--tree", "3-3", "--seeds", "5,9", "--frames", "--render.grey", "--out", "mine.npz")
    assert (told.code, told.err) == (0, "")
    assert "mine.npz" in told.out
    arrays = read_npz("mine.npz")
    assert arrays["seeds"].tolist() == [5, 9]
    assert {name: value.shape for name, value in arrays.items()} == {
        "seeds": (2,),
        "positions": (2, 49, 13, 2),
        "velocities": (2, 49, 13, 2),
        "adjacency": (2, 13, 13),
        "possible": (13, 13),
        "frames": (2, 49, 32, 32, 1),
    }
    assert hri("simulate", "--tree", "3-3", "--config", "05", "--seeds", "9", "--out", "one.npz").code == 0
    assert (read_npz("one.npz")["positions"][0] == arrays["positions"][1]).all()


# Train


def test_train_leaves_a_whole_run_and_resumes_it(hri: Command) -> None:
    words = ["train", "--preset", "springs-4-3-state-hri-h", "--run", "runs/a", "--seed", "7", *SMALL]
    told = hri(*words, "--model.relations.edge-types", "3")
    assert told.code == 0
    assert re.fullmatch(r"the best checkpoint is runs/a/best\.safetensors; last validation: nll .*\n", told.out)
    assert "update 3 of 3" in told.err
    names = {path.name for path in Path("runs/a").iterdir()}
    assert names >= {
        "config.json",
        "metrics.jsonl",
        "last.safetensors",
        "best.safetensors",
        "state.safetensors",
        "log.txt",
    }
    lines = [json.loads(line) for line in Path("runs/a/metrics.jsonl").read_text().splitlines()]
    assert [(line["update"], line["stage"]) for line in lines] == [(1, 2), (2, 2), (3, 2)]
    header = read_header("runs/a/best.safetensors")
    assert header.command == f"python -m hri {' '.join(words)} --model.relations.edge-types 3"
    assert (header.config.model.relations.edge_types, header.config.train.seed, header.seed) == (3, 7, 7)

    again = hri(*words, "--model.relations.edge-types", "3")
    assert again.code == 1
    assert "add --resume" in again.err
    assert hri(*words, "--resume").code == 1  # another config
    assert hri(*words, "--model.relations.edge-types", "3", "--resume").code == 0


def test_train_takes_vision_from_another_checkpoint(hri: Command, stored: Path) -> None:
    words = [
        "--data.train",
        "2",
        "--data.validation",
        "1",
        "--train.batch",
        "1",
        "--updates",
        "1",
        "--train.precision",
        "no",
    ]
    told = hri(
        "train",
        "--preset",
        "springs-4-3-slot-hri-h",
        "--run",
        "b",
        "--vision-from",
        stored / "slot.safetensors",
        *words,
    )
    assert told.code == 0, told.err
    ours, theirs = load("b/best.safetensors").model, load(stored / "slot.safetensors").model
    assert ours.vision is not None
    assert theirs.vision is not None
    for one, two in zip(ours.vision.decoder.parameters(), theirs.vision.decoder.parameters(), strict=True):
        assert torch.equal(one, two)
    refused = hri(
        "train", "--preset", "springs-4-3-state-hri", "--run", "c", "--vision-from", stored / "slot.safetensors", *SMALL
    )
    assert refused.code == 1
    assert "only image models" in refused.err


def test_a_loss_that_is_no_number_ends_with_a_sentence(hri: Command) -> None:
    words = ["train", "--preset", "springs-4-3-state-lstm", "--run", "d", *SMALL, "--train.variance", "1e-12"]
    told = hri(
        *words, "--train.learning-rate", "10", "--train.updates", "60", "--updates", "60", "--train.clip", "1e12"
    )
    assert "Traceback" not in told.err
    if told.code:
        assert "no longer a number" in told.err


# Rollout, evaluate, export, import


def test_a_simulation_goes_all_the_way_to_a_film(hri: Command, stored: Path) -> None:
    told = hri("rollout", "--checkpoint", stored / "slot.safetensors", "--input", stored / "two.npz", "--systems", "1")
    assert told.code == 0, told.err
    assert told.out == "wrote rollout.npz: 1 scenes of 49 frames, 21 nodes, 10 free steps\n"
    rolled = Rollout.load("rollout.npz")
    assert rolled.checkpoint == "slot"
    assert rolled.slot_frames is not None
    for name in ("a.gif", "a.mp4", "a.npz"):
        assert hri("export", "--rollout", "rollout.npz", "--out", name, "--scale", "1").code == 0
        assert Path(name).stat().st_size > 1000


def test_encoder_and_decoder_alone_give_frames_and_slots(hri: Command, stored: Path) -> None:
    told = hri("rollout", "--checkpoint", stored / "alone.safetensors", "--input", stored / "two.npz", "--out", "v.npz")
    assert told.code == 0, told.err
    shapes = {name: value.shape for name, value in read_npz("v.npz").items()}
    frames = (2, 49, 32, 32, 3)
    assert shapes == {"frames": frames, "slots": (2, 49, 16, 16), "reconstructed_frames": frames}


def test_a_stored_checkpoint_is_found_by_its_name(hri: Command, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints_cli, "CHECKPOINTS", stored)
    told = hri("evaluate", "--checkpoint", "state", "--data", stored / "two.npz", "--json")
    assert told.code == 0, told.err
    scores = json.loads(told.out)
    assert told.out.count("\n") == 1
    assert told.err == ""
    assert {"nll", "mse_by_step", "edge_accuracy", "edges", "copy_baseline", "parameters", "seconds"} <= scores.keys()
    assert scores["systems"] == 2
    table = hri("evaluate", "--checkpoint", "state", "--systems", "1")
    assert table.code == 0
    assert "edge_accuracy.siblings" in table.out
    told = " ".join(table.out.replace("│", " ").split())
    assert "edges.types 0 " in told
    for name in ("edges.burn_in.siblings accuracy found 0.", "edges.free_run.calibration expected error 0."):
        assert name in told
    assert "by_frame" not in told


@pytest.mark.parametrize(
    ("name", "variant"), [("state_hri", "hri"), ("state_lstm", "auto"), ("visual_slot_hri", "hri")]
)
def test_an_imported_model_repeats_the_published_numbers(
    name: str, variant: str, hri: Command, reference: Path
) -> None:
    folder = reference / "parity" / name
    words = ["--out", "x.safetensors", "--variant", variant]
    assert hri("import", folder / "model_all.pt", *words).code == 0
    header = read_header("x.safetensors")
    assert header.source == "imported"
    assert header.command.startswith("python -m hri import")
    truth = read_npz(folder / "io.npz")
    for free in (5, 10):
        told = hri(
            *["rollout", "--checkpoint", "x.safetensors", "--input", folder / "io.npz", "--out", "r.npz"],
            *["--free-steps", free, "--edges-from", "truth"],
        )
        assert told.code == 0, told.err
        ours, theirs = read_npz("r.npz")["predicted_slots"], truth[f"predicted_slots_{free}"]
        np.testing.assert_allclose(ours[:, -theirs.shape[1] :], theirs, rtol=0, atol=1e-4)


# Bench


def test_bench_times_every_part(hri: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "STAGE1_FRAMES", 4)
    monkeypatch.setattr(bench, "SYSTEMS", 1)
    # Each part runs once, for half a second and as long as two matrix products.
    monkeypatch.setattr(bench.Stopwatch, "once", lambda watch, work: (work(), 0.5)[1])
    monkeypatch.setattr(bench.Stopwatch, "repeat", lambda watch, work, warm_ups=0: (watch.once(work), 2.0))
    threads = torch.get_num_threads()
    told = hri("bench", "--json", "--seconds", "0", "--threads", "1", "--precision", "no")
    assert told.code == 0, told.err
    timed = json.loads(told.out)
    assert timed.keys() >= {"matmul_ms", "simulate", "render", "train_step", "rollout", "peak_memory_mb"}
    assert timed["train_step"].keys() == bench.STEPS.keys()
    assert timed["matmul_ms"] == 500
    for step in timed["train_step"].values():
        assert step == {"seconds": 0.5, "matmuls": 2, "precision": "no"}
    simulated, drawn = timed["simulate"], timed["render"]
    assert simulated["ms_per_trajectory"] == pytest.approx(500 / 256, rel=1e-2)
    assert simulated["ms_per_trajectory"] / simulated["matmuls"] == pytest.approx(250, rel=1e-2)
    assert drawn["ms_per_frame"] == pytest.approx(500 / (40 * 49), rel=1e-2)
    assert drawn["ms_per_frame"] / drawn["matmuls"] == pytest.approx(250, rel=1e-2)
    assert (timed["rollout"]["load_ms"], timed["rollout"]["ms"], timed["rollout"]["matmuls"]) == (500, 500, 2)
    assert timed["peak_memory_mb"] > 50, "torch alone takes more"
    assert torch.get_num_threads() == threads


def test_a_part_is_compared_with_products_of_its_own_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = bench.Stopwatch(torch.device("cpu"), seconds=0.0)
    products = iter([0.5, 0.1, 0.2])
    times = iter([4.0, 1.0, 2.0])
    monkeypatch.setattr(watch, "matmul", lambda: next(products))
    monkeypatch.setattr(watch, "once", lambda work: next(times))
    assert watch.repeat(lambda: None, warm_ups=1) == (2.0, 10.0)


# Mistakes


def bad_inputs(stored: Path) -> None:
    """Files that users bring, in the working folder."""
    Path("empty.npz").write_bytes(b"")
    Path("cut.npz").write_bytes((stored / "two.npz").read_bytes()[:3000])
    Path("cut.safetensors").write_bytes((stored / "state.safetensors").read_bytes()[:-99])
    torch.save({"a": torch.ones(1)}, "renamed.safetensors")
    torch.save({"a": torch.ones(1)}, "foreign.pt")
    torch.save(torch.nn.Linear(1, 1), "code.pt")
    arrays = read_npz(stored / "two.npz")
    write_npz("flat.npz", arrays | {"positions": arrays["positions"][..., 0]})
    write_npz("other.npz", {"numbers": np.arange(3)})
    Path("folder").mkdir()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("dream", "unknown command 'dream'; choose from simulate, train"),
        ("simulate --tree 4-x --seeds 1", "unknown tree '4-x'; write children per level"),
        ("simulate --tree 4-3 --seeds 1 --config 06", "--config is '06'; choose from auto, 04, 05"),
        ("simulate --tree 4-3", "--seeds must be given; see `python -m hri simulate --help`"),
        ("simulate --tree 4-3 --seeds", "--seeds needs a value"),
        ("simulate --tree 4-3 --seeds 1 --frame", "unknown option --frame"),
        ("simulate --tree 4-3 --seeds 1 --colour red", "unknown option --colour red"),
        ("simulate --tree 4-3 --seeds x", "--seeds is 'x'; write START:STOP"),
        ("simulate --tree 4-3 --seeds 5:5", "names no seed"),
        ("simulate --tree 4-3 --seeds 4294967296", "seeds go from 0 to 4294967295"),
        ("simulate --tree 4-3 --seeds=-1", "write START:STOP"),
        ("simulate --tree 4-3 --seeds 1 --render.radius big", "--render.radius cannot be read"),
        ("simulate --tree 4-3 --seeds 1 --out nowhere/x.npz", "there is no folder nowhere"),
        ("simulate --tree 4-3 --seeds 1 --out folder", "folder is a folder; name a file"),
        ("train --preset springs-4-3 --run r", "unknown preset 'springs-4-3'; choose from"),
        ("train --preset springs-4-3-state-hri", "--run must be given"),
        ("train --preset springs-4-3-state-hri --run r --train.batch 0", "train.batch is 0; choose a value from 1"),
        ("train --preset springs-4-3-state-hri --run r --data.tree 4-x", "unknown tree '4-x'"),
        ("train --preset springs-4-3-state-hri --run r --train.schedule x", "choose from cosine, constant"),
        ("train --preset springs-4-3-state-hri --run empty.npz --updates 1", "empty.npz"),
        ("train --preset springs-4-3-slot-hri --run r --vision-from cut.safetensors --data.train 1", "is damaged"),
        ("rollout --checkpoint no.safetensors --input TWO", "there is no file no.safetensors"),
        ("rollout --checkpoint renamed.safetensors --input TWO", "is a pickle"),
        ("rollout --checkpoint cut.safetensors --input TWO", "is damaged"),
        ("rollout --checkpoint folder --input TWO", "there is no file folder"),
        ("rollout --checkpoint STATE --input no.npz", "No such file or directory (no.npz)"),
        ("rollout --checkpoint STATE --input empty.npz", "empty.npz is not a readable .npz"),
        ("rollout --checkpoint STATE --input cut.npz", "cut.npz is not a readable .npz"),
        ("rollout --checkpoint STATE --input flat.npz", "they must be floats [S, T, N, 2]"),
        ("rollout --checkpoint STATE --input other.npz", "other.npz holds numbers; state needs states"),
        ("rollout --checkpoint STATE --input TWO --free-steps 49", "choose 1 to 48"),
        ("rollout --checkpoint STATE --input TWO --systems 0", "--systems is 0"),
        ("rollout --checkpoint STATE --input TWO --device tpu9", "there is no device 'tpu9' here"),
        ("rollout --checkpoint SLOT --input TWO --systems 1 --edges true", "true springs join balls"),
        ("rollout --checkpoint STATE --input TWO --edges best", "choose from argmax, sample, true, none"),
        ("evaluate --checkpoint STATE --data other.npz", "is not a simulation: it lacks"),
        ("evaluate --checkpoint STATE --systems 0", "0 systems cannot be tested"),
        ("evaluate --checkpoint STATE --systems many", "--systems cannot be read"),
        ("export --rollout TWO --out a.gif", "is not a rollout: it lacks"),
        ("export --rollout no.npz --out a.gif", "No such file or directory (no.npz)"),
        ("import no.pt", "there is no file no.pt"),
        ("import code.pt", "could run code"),
        ("import foreign.pt --out a.safetensors", "is not one of the authors' models"),
        ("import foreign.pt --tree 4-x", "unknown tree '4-x'"),
        ("bench --only sleep", "unknown part 'sleep'; choose from train, simulate"),
        ("bench --threads 0", "0 threads cannot work"),
    ],
)
def test_a_mistake_is_answered_with_one_line(words: str, says: str, hri: Command, stored: Path) -> None:
    bad_inputs(stored)
    before = sorted(Path().rglob("*"))
    files = {"TWO": stored / "two.npz", "STATE": stored / "state.safetensors", "SLOT": stored / "slot.safetensors"}
    told = hri(*[files.get(word, word) for word in words.split()])
    assert told.code == 1
    assert told.is_one_line() or words.startswith("train"), told.err
    assert told.err.splitlines()[-1].startswith("hri: ")
    assert says in told.err
    assert "Traceback" not in told.err
    if "--run r" not in words:
        assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        "simulate --tree 4-3 --seeds 1 --out old",
        "rollout --checkpoint STATE --input TWO --out old",
        "import MODEL --out old",
        "train --preset springs-4-3-state-lstm --run r --updates 1 --data.train 4 --data.validation 1",
    ],
)
def test_a_full_disk_is_one_line_and_loses_nothing(
    words: str, hri: Command, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = torch.nn.LSTMCell(68, 64)
    lstm = {f"dyn_t2t.rnn.{name}_l0": value for name, value in model.state_dict().items()}
    heads = {"fc2_1.weight": (64, 64), "fc2_1.bias": (64,), "fc2_2.weight": (68, 64), "fc2_2.bias": (68,)}
    torch.save(lstm | {f"dyn_t2t.{name}": torch.zeros(shape) for name, shape in heads.items()}, "model.pt")
    Path("old").write_bytes(b"old")

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("hri.core.files.os.replace", full)
    files = {"TWO": stored / "two.npz", "STATE": stored / "state.safetensors", "MODEL": Path("model.pt")}
    told = hri(*[files.get(word, word) for word in words.split()])
    assert told.code == 1
    assert told.err.splitlines()[-1].startswith("hri: the disk is full")
    assert Path("old").read_bytes() == b"old"
    assert not list(Path().rglob("*.part"))


def test_a_folder_that_may_not_be_written_is_refused_before_any_work(
    hri: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hri.cli.terminal.os.access", lambda path, mode: False)
    told = hri("simulate", "--tree", "4-3", "--seeds", "0:1000000")
    assert told.is_one_line()
    assert "the folder may not be written" in told.err


def test_only_the_first_of_several_processes_speaks(hri: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hri.cli.terminal.FIRST_PROCESS", False)
    told = hri("simulate", "--tree", "4-x", "--seeds", "1")
    assert (told.code, told.err) == (1, "")


def test_a_fault_of_ours_is_not_hidden(hri: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr("hri.physics.springs.write_simulation", broken)
    with pytest.raises(AssertionError, match="ours"):
        hri("simulate", "--tree", "4-3", "--seeds", "1")


def test_ctrl_c_ends_quietly_and_leaves_nothing(tmp_path: Path) -> None:
    # What a shell starts in the background ignores Ctrl-C, and so would its children: these tests may be such a job.
    listening = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    seeds = ("--seeds", "0:500000")
    with process("simulate", "--tree", "4-3", *seeds, folder=tmp_path, preexec_fn=listening) as running:
        try:
            deadline = time.monotonic() + 60
            # Once systems are being written, all compiled code is loaded: loaders can swallow the signal.
            while not any(file.stat().st_size > 1e6 for file in tmp_path.glob("*.part")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(timeout=10)
            if running.poll() is None:  # it was swallowed all the same: whoever waits presses again
                running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=60)
        finally:
            running.kill()
    assert (running.returncode, out, err) == (130, "", "hri: stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_is_no_mistake(tmp_path: Path) -> None:
    with process("simulate", "--tree", "4-3", "--seeds", "1", folder=tmp_path) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode in (0, 1)

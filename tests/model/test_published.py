"""The authors' files: every variant, wherever it was saved, and the numbers their code computes."""

from __future__ import annotations

import dataclasses
import pickle
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hri.core.config import Config, DataConfig, ModelConfig, RenderConfig
from hri.core.files import read_npz
from hri.core.presets import VARIANTS, VISION
from hri.model.checkpoint import Checkpoint
from hri.model.devices import device_of
from hri.model.layers import Norm
from hri.model.model import Model
from hri.model.published import CHOICES, import_published
from hri.physics.springs import simulate
from hri.rollout.rollout import encode_and_reconstruct, from_arrays, from_frames, from_states

BLOCKS = {"embed": "mlp_node_embed", "edge": "full_mlp_n2e", "node": "full_mlp_e2n", "edge_again": "full_mlp_out"}
LAYERS = {"first": "fc1", "second": "fc2", "norm": "bn"}


@pytest.fixture(autouse=True, scope="module")
def _few_systems_for_the_ranges() -> None:
    """Imports take the training ranges from the first published systems; a few of them do here."""
    with pytest.MonkeyPatch.context() as patch:
        few = cache(lambda tree, physics: simulate(tree, physics, range(42, 46)))
        patch.setattr("hri.model.published.simulate", lambda tree, physics, seeds: few(tree, physics))
        yield  # type: ignore[misc]


def config_of(variant: str, seen: str = "state", tree: str = "4-3", render: RenderConfig = RenderConfig()) -> Config:
    """What importing a file of this variant should make of it."""
    relations, dynamics = VARIANTS[variant]
    relations = dataclasses.replace(relations, window="published")
    data = DataConfig(tree=tree, physics="05" if tree == "3-3" else "04", render=render)
    return Config(name="model_all", data=data, model=ModelConfig(VISION[seen], relations, dynamics))


def random_model(config: Config) -> Model:
    """Weights and running statistics unlike any default."""
    torch.manual_seed(5)
    model = Model(config)
    for part in model.modules():
        if isinstance(part, Norm):
            for value in (part.weight, part.running_var):
                value.data.uniform_(0.5, 1.5)
            for value in (part.bias, part.running_mean):
                value.data.normal_(0, 0.1)
    return model.eval()


def published_layout(model: Model, config: Config) -> dict[str, Tensor]:
    """The model's weights under the authors' names, on the authors' axes (images C x W x H), with their extras."""
    theirs: dict[str, Tensor] = {}
    flat, joint = config.model.dynamics.passing == "flat", config.model.dynamics.passing == "joint"
    encoder = (["c64"] if config.data.render.size == 64 else []) + ["c0", "c1", "c2"]
    for name, value in model.state_dict().items():
        part, *place = name.split(".")
        tail = place[-1]
        value = value.transpose(2, 3) if value.ndim == 4 else value
        if part == "relations":
            inner = f"{BLOCKS[place[0]]}.{LAYERS[place[1]]}" if place[0] in BLOCKS else "fc_out"
            theirs[f"enc_t2r.{inner}.{tail}"] = value
        elif part == "dynamics" and place[0] == "lstm":
            theirs[f"dyn_t2t.rnn.{tail}_l0"] = value
        elif part == "dynamics" and place[0] == "messages":
            layer = {"first": "fc1", "second": "fc2"}[place[1]]
            for phase in ["full"] if flat else ["l2a", "ws", "a2d"]:
                theirs[f"dyn_t2t.{phase}_edge_{layer}.{int(place[2]) + 1}.{tail}"] = value
                theirs.setdefault(f"dyn_t2t.{phase}_edge_{layer}.0.{tail}", torch.randn_like(value))
        elif part == "dynamics":
            number = {"out_hidden": 1, "out": 2}[place[0]]
            theirs[f"dyn_t2t.fc{'2' if joint else '_out'}_{number}.{tail}"] = value
        elif place[:2] == ["leaves", "to_slot"]:
            theirs[f"enc_i2t.fc2.layer.{tail}"] = value
        elif place[0] == "leaves":
            theirs[f"enc_i2t.{encoder[int(place[2])]}.{ {'conv': 'conv', 'norm': 'nm'}[place[3]] }.{tail}"] = value
        elif place[:2] == ["upper", "to_slot"]:
            theirs[f"enc_t2h.fc3.layer.{tail}"] = theirs[f"enc_t2h.fc4.layer.{tail}"] = value
        elif place[0] == "upper":
            block = {"intermediate": "c3", "root": "c4"}[place[1]]
            theirs[f"enc_t2h.{block}.{ {'conv': 'conv', 'norm': 'nm'}[place[2]] }.{tail}"] = value
        elif place[1] == "spread":
            theirs[f"dec_t2i.in_map.layer.{tail}"] = value.unflatten(0, (-1, 2, 2)).transpose(1, 2).flatten(0, 2)
        else:
            last = int(place[2]) == len(model.vision.decoder.layers) - 1  # type: ignore[union-attr]
            theirs[f"dec_t2i.{'last_conv' if last else f'dec_convs.{place[2]}'}.{tail}"] = value
    for name in [name for name in theirs if name.endswith("running_mean")]:
        theirs[name.replace("running_mean", "num_batches_tracked")] = torch.tensor(7)
    if joint:
        theirs |= {f"dyn_t2t.bn.{name}": torch.ones(4) for name in ("weight", "bias", "running_mean", "running_var")}
    return {name: value.clone() for name, value in theirs.items()}


def written(folder: Path, tensors: object, **options: bool) -> Path:
    path = folder / "model_all.pt"
    torch.save(tensors, path, **options)
    return path


def same_weights(checkpoint: Checkpoint, model: Model) -> bool:
    ours, theirs = checkpoint.model.state_dict(), model.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("seen", ["state", "slot", "par"])
@pytest.mark.parametrize("variant", CHOICES)
def test_every_variant_is_imported(variant: str, seen: str, tmp_path: Path) -> None:
    if variant.endswith("-gt") and seen != "state":
        with pytest.raises(ValueError, match="true springs join balls"):
            config_of(variant, seen)
        return
    config = config_of(variant, seen)
    model = random_model(config)
    imported = import_published(written(tmp_path, published_layout(model, config)), variant)
    assert imported.header.config == config
    assert (imported.header.parts, imported.header.source) == ("all", "imported")
    assert same_weights(imported, model)
    assert device_of(imported.model).type == "cpu"


@pytest.mark.parametrize("render", [RenderConfig(size=64), RenderConfig(grey=True), RenderConfig(size=64, grey=True)])
@pytest.mark.parametrize("seen", ["slot", "par"])
def test_large_and_grey_frames_are_told_from_the_file(seen: str, render: RenderConfig, tmp_path: Path) -> None:
    config = config_of("hri", seen, render=render)
    model = random_model(config)
    imported = import_published(written(tmp_path, published_layout(model, config)), "hri")
    assert imported.header.config == config
    assert same_weights(imported, model)
    frames = np.zeros((1, 1, render.size, render.size, render.channels), dtype=np.uint8)
    assert encode_and_reconstruct(imported, frames)[1].shape == frames.shape


def test_edge_types_history_and_widths_are_told_from_the_file(tmp_path: Path) -> None:
    config = config_of("hri", tree="3-3")
    relations = dataclasses.replace(config.model.relations, edge_types=3, history=6, hidden=32)
    dynamics = dataclasses.replace(config.model.dynamics, hidden=24)
    config = dataclasses.replace(config, model=ModelConfig(None, relations, dynamics))
    model = random_model(config)
    imported = import_published(written(tmp_path, published_layout(model, config)), "hri", tree="3-3")
    assert imported.header.config == config
    assert same_weights(imported, model)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_saved_on_a_gpu_opens_without_one(zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("lstm")
    model = random_model(config)
    monkeypatch.setattr("torch.serialization.location_tag", lambda storage: "cuda:0")
    path = written(tmp_path, published_layout(model, config), _use_new_zipfile_serialization=zipped)
    monkeypatch.undo()
    pickled = zipfile.ZipFile(path).read("model_all/data.pkl") if zipped else path.read_bytes()
    assert b"cuda:0" in pickled
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(path, weights_only=True)
    assert same_weights(import_published(path), model)


def test_a_model_wrapped_for_several_gpus_is_unwrapped(tmp_path: Path) -> None:
    config = config_of("lstm")
    model = random_model(config)
    wrapped = {f"module.{name}": value for name, value in published_layout(model, config).items()}
    assert same_weights(import_published(written(tmp_path, wrapped)), model)


@pytest.mark.parametrize("seen", ["slot", "par"])
def test_encoder_and_decoder_alone_reconstruct(seen: str, tmp_path: Path) -> None:
    config = config_of("hri", seen)
    model = random_model(config)
    alone = {
        name: value
        for name, value in published_layout(model, config).items()
        if name.startswith(("enc_i2t", "dec_t2i"))
    }
    imported = import_published(written(tmp_path, alone))
    assert imported.header.parts == "vision"
    frames = np.random.default_rng(0).integers(0, 255, (2, 3, 32, 32, 3), dtype=np.uint8)
    made = from_arrays(imported, {"frames": frames}, "frames.npz")
    assert isinstance(made, dict)
    seen_by_model = torch.from_numpy(frames.reshape(-1, 32, 32, 3)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        truth = model.vision(seen_by_model).permute(0, 2, 3, 1).reshape(frames.shape).numpy()  # type: ignore[misc]
    np.testing.assert_allclose(made["reconstructed_frames"], truth, atol=1e-5)
    with pytest.raises(ValueError, match="predicts nothing"):
        from_frames(imported, frames, 1)


@pytest.mark.parametrize(
    ("variant", "choices"),
    [
        ("hri", "--variant hri or --variant hri-h"),
        ("nri", "--variant nri or --variant nri-lo"),
        ("fcmp", "--variant nri-gt or --variant fcmp"),
    ],
)
def test_an_ambiguous_file_is_refused_with_the_choices(variant: str, choices: str, tmp_path: Path) -> None:
    config = config_of(variant)
    path = written(tmp_path, published_layout(random_model(config), config))
    with pytest.raises(ValueError, match=f"model_all.pt fits several variants; say which with {choices}"):
        import_published(path)


@pytest.mark.parametrize("variant", ["lstm", "lstm-lo", "hri-gt"])
def test_a_clear_file_needs_no_variant(variant: str, tmp_path: Path) -> None:
    config = config_of(variant)
    path = written(tmp_path, published_layout(random_model(config), config))
    assert import_published(path).header.config == config


def test_a_wrong_variant_and_a_wrong_tree_are_refused(tmp_path: Path) -> None:
    config = config_of("lstm")
    path = written(tmp_path, published_layout(random_model(config), config))
    with pytest.raises(ValueError, match="is not hri; its keys and shapes fit lstm"):
        import_published(path, "hri")
    with pytest.raises(ValueError, match="unknown variant 'gnn'; choose from hri"):
        import_published(path, "gnn")
    with pytest.raises(ValueError, match=r"LSTM over 17 nodes, tree 3-3 has 13 \(9 leaves\); name its tree"):
        import_published(path, tree="3-3")


@pytest.mark.parametrize(("variant", "seen"), [("hri", "state"), ("nri-gt", "state"), ("lstm-lo", "slot")])
def test_a_file_with_any_part_missing_or_misshapen_is_refused_or_fits(variant: str, seen: str, tmp_path: Path) -> None:
    config = config_of(variant, seen)
    whole = published_layout(random_model(config), config)
    parts = sorted({name.rsplit(".", 1)[0] for name in whole})
    for part in parts:
        without = {name: value for name, value in whole.items() if not name.startswith(part)}
        bent = {name: value.flatten() if name.startswith(part) else value for name, value in whole.items()}
        cut = {name: value[:-1] if name.startswith(part) and value.ndim else value for name, value in whole.items()}
        for tensors in (without, bent, cut):
            try:
                import_published(written(tmp_path, tensors), variant)
            except ValueError as error:
                assert "model_all.pt" in str(error)  # noqa: PT017


class CodeInWeights:
    """What a .pt file can hold: code that runs when it is opened."""

    def __init__(self, flag: Path):
        self.flag = flag

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.flag,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_never_run(zipped: bool, tmp_path: Path) -> None:
    path = written(tmp_path, {"weights": CodeInWeights(tmp_path / "flag")}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="could run code"):
        import_published(path)
    (tmp_path / "model_all.pt").write_bytes(pickle.dumps(CodeInWeights(tmp_path / "flag")))
    with pytest.raises(ValueError, match=r"model_all\.pt"):
        import_published(path)
    assert not (tmp_path / "flag").exists()


def test_what_is_no_file_of_the_authors_is_answered_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "model_all.pt"
    contents: list[tuple[bytes | object, str]] = [
        (b"", "is empty"),
        (b"<html>404</html>", "damaged or no PyTorch file|could run code"),
        (written(tmp_path, {"a": torch.ones(999)}).read_bytes()[:-700], "is damaged"),
        ({"fc.weight": torch.ones(3, 3)}, "is not one of the authors' models"),
        ({"dyn_t2t.weight": torch.ones(3, 3)}, "cannot be imported"),
        ({"state_dict": {"fc.weight": torch.ones(3)}, "epoch": 3}, "no state dict"),
        ([torch.ones(3)], "no state dict"),
        ({}, "no state dict"),
        (torch.nn.Linear(2, 2), "could run code"),
    ]
    for content, says in contents:
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        with pytest.raises(ValueError, match=says) as caught:
            import_published(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="there is no file"):
        import_published(tmp_path / "nothing.pt")


@pytest.mark.parametrize(("name", "variant"), [("state_hri", "hri"), ("state_lstm", None), ("visual_slot_hri", "hri")])
def test_published_models_compute_what_the_published_code_does(name: str, variant: str | None, reference: Path) -> None:
    folder = reference / "parity" / name
    truth, imported = read_npz(folder / "io.npz"), import_published(folder / "model_all.pt", variant)
    five, ten = (from_arrays(imported, truth, "io.npz", free, edges_from="truth") for free in (5, 10))
    assert not isinstance(five, dict)
    assert not isinstance(ten, dict)
    near = {"rtol": 0.0, "atol": 1e-4}
    np.testing.assert_allclose(five.predicted_slots, truth["predicted_slots_5"], **near)
    np.testing.assert_allclose(ten.predicted_slots[:, -10:], truth["predicted_slots_10"], **near)
    if "edge_logits" in truth:
        rows = {tuple(pair): row for row, pair in enumerate(five.edge_sender_receiver.tolist())}
        order = [rows[tuple(pair)] for pair in truth["edge_sender_receiver"].tolist()]
        np.testing.assert_allclose(five.edge_logits[:, :, order], truth["edge_logits"], **near)
    if "slots" in truth:
        np.testing.assert_allclose(five.slots, truth["slots"], **near)
        np.testing.assert_allclose(five.predicted_frames, truth["predicted_frames_5"], **near)


@pytest.mark.parametrize(("seen", "error"), [("slot", 0.00131), ("par", 0.00076)])
def test_published_weights_reconstruct_with_the_published_error(seen: str, error: float, reference: Path) -> None:
    imported = import_published(reference / "weights" / f"4-3_04_{seen}" / "model_all.pt")
    frames = read_npz(reference / "springs" / "springs_4-3_04_seeds_42-45.npz")["frames"]
    assert frames.shape[:2] == (2, 49)
    _, drawn = encode_and_reconstruct(imported, frames)
    assert ((drawn - frames / 255) ** 2).mean() == pytest.approx(error, abs=5e-6)


def test_the_published_window_is_one_state_ten_times() -> None:
    """Changing every state but those ten steps before leaves the edges of a step as they were."""
    config = config_of("hri")
    model = Checkpoint("m", random_model(config), dataclasses.replace(_header(config)))
    states = np.random.default_rng(1).normal(0, 0.3, (1, 30, 17, 4)).astype(np.float32)
    other = np.random.default_rng(2).normal(0, 0.3, states.shape).astype(np.float32)
    other[:, 10] = states[:, 10]
    first, second = (from_states(model, seen, None, 1).edge_logits for seen in (states, other))
    np.testing.assert_allclose(first[:, 20], second[:, 20], atol=1e-5)
    assert np.abs(first[:, 19] - second[:, 19]).max() > 1e-2


def _header(config: Config):
    from hri.model.checkpoint import Header

    return Header(config)

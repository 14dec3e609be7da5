"""Chance, frames and patches on the device: laws, and the same values as elsewhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hri.core.config import Config, DataConfig, RenderConfig, TrainConfig
from hri.core.presets import preset
from hri.data.sources import sequences
from hri.model.encoder import LEAF_CELLS
from hri.model.model import Model
from hri.training import device_data
from hri.training.device_data import FrameStore, bits, gumbel, key_of, mixed, patches, uniform
from hri.training.device_optimiser import ClipWindow, DeviceOptimiser
from hri.training.optimiser import Muon
from hri.training.patches import tile_loss

WRAP = 2**64


def split_mix(number: int) -> int:
    """The published algorithm, with whole numbers of any size."""
    number %= WRAP
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % WRAP
    return number ^ (number >> 31)


def test_hashing_is_split_mix() -> None:
    given = [0, 1, 2, 12345678901234567, -1, -(2**63), 2**63 - 1]
    found = mixed(torch.tensor(given)).tolist()
    assert [number % WRAP for number in found] == [split_mix(number) for number in given]


def test_chance_depends_on_seed_stage_update_and_sample_alone() -> None:
    update = torch.tensor([7])
    keys = [key_of(seed, stage, torch.tensor([u])).item() for seed in (0, 1) for stage in (1, 2) for u in (6, 7)]
    assert len(set(keys)) == 8
    key = key_of(3, 2, update)
    assert torch.equal(update, torch.tensor([7]))
    one = bits(key, torch.tensor([5, 9, 2]), 40)
    other = bits(key, torch.tensor([2, 5]), 40)
    assert torch.equal(one[[2, 0]], other), "whatever the batch"
    assert len(set(one.flatten().tolist())) == 120


def test_noise_has_the_right_distribution() -> None:
    numbers = bits(key_of(0, 2, torch.tensor([0])), torch.arange(64), 8000)
    u = uniform(numbers).double().flatten()
    assert 0 < u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    levels = np.linspace(0.05, 0.95, 10)
    assert np.abs(np.quantile(u.numpy(), levels) - levels).max() < 0.003
    apart = u.view(64, 8000) - 0.5
    for shift in (1, 2, 49 * 2):
        assert abs(float((apart[:, :-shift] * apart[:, shift:]).mean()) * 12) < 0.01, "neighbours are independent"
    assert abs(float((apart[:-1] * apart[1:]).mean()) * 12) < 0.01, "and samples"
    noise = gumbel(numbers).double()
    assert torch.isfinite(noise).all()
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.01)
    assert float(noise.var()) == pytest.approx(np.pi**2 / 6, rel=0.02)


def test_patches_are_all_trained_and_each_slot_is_held_to_black_in_its_turn() -> None:
    held = np.zeros(16)
    for update in range(40):
        made = patches(6, key_of(0, 1, torch.tensor([update])), LEAF_CELLS)
        rows, others = made["rows"], made["others"]
        assert sorted(rows.tolist()) == list(range(96))
        slots = (rows[: len(others)] % 16).numpy()
        assert len(others) == 24
        held += np.bincount(slots, minlength=16)
        assert ((others >= 0) & (others < 16)).all()
        own = LEAF_CELLS[slots]
        assert (others != own).all(), "another tile than its own"
    assert held.min() > 0.7 * held.mean()


def test_the_loss_of_fixed_patches_is_that_of_whole_masked_images_on_average() -> None:
    config = preset("springs-4-3-slot-hri")
    vision = dataclasses.replace(config.model.vision, encoder_channels=8, decoder_channels=8)  # type: ignore[type-var]
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, vision=vision))
    torch.manual_seed(0)
    model = Model(config)
    assert model.vision is not None
    frames = sequences(DataConfig(train=2), "train").frames(np.array([0, 0, 1, 1]), np.array([3, 30, 7, 20]))
    with torch.no_grad():
        slots = model.vision.leaves.slots(model.vision.leaves.map(frames))
        alone = model.vision.decoder.each(slots)  # type: ignore[operator]
        cells = model.vision.decoder.cells
        masks = torch.zeros(16, 1, 4, 8, 4, 8)
        masks[torch.arange(16), :, cells // 4, :, cells % 4] = 1
        wanted = ((alone - frames[:, None] * masks.view(16, 1, 32, 32)) ** 2).sum((1, 2, 3, 4)).mean()
        drawn = []
        for update in range(60):
            made = patches(4, key_of(0, 1, torch.tensor([update])), cells)
            drawn.append(float(tile_loss(model.vision.decoder, slots, frames, **made)))  # type: ignore[arg-type]
    assert np.mean(drawn) == pytest.approx(float(wanted), rel=0.05)


LOOKS = {
    "plain": RenderConfig(),
    "grey, larger, all levels": RenderConfig(grey=True, size=64, level_radii=(2.0, 1.5, 1.0)),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05")])
def test_frames_drawn_in_tensors_are_those_of_the_renderer(
    look: str, tree: str, physics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = sequences(DataConfig(tree=tree, physics=physics, train=3, render=LOOKS[look]), "train")  # type: ignore[arg-type]
    rows = torch.tensor([0, 5, 48, 49, 80, 146])
    truth = data.frames(*np.divmod(rows.numpy(), data.steps))
    kept = FrameStore(data, torch.device("cpu"))
    monkeypatch.setattr(device_data, "_free", lambda device: 0.0)
    drawn = FrameStore(data, torch.device("cpu"))
    assert (kept.stored is None, drawn.stored is None) == (False, True)
    assert torch.equal(kept.frames(rows), truth)
    apart = (drawn.frames(rows) - truth).abs() * 255
    assert apart.max() <= 1.01, "one level of 256, where rounding falls the other way"
    assert (apart > 0.5).float().mean() < 1e-3


def test_a_curtain_is_not_drawn_in_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_data, "_free", lambda device: 0.0)
    data = sequences(DataConfig(train=2, render=RenderConfig(curtain=True)), "train")
    store = FrameStore(data, torch.device("cpu"))
    assert torch.equal(store.frames(torch.tensor([60])), data.frames(np.array([1]), np.array([11])))


SHAPES = [(8, 8), (4, 100), (64, 3), (8, 8), (6, 3, 8, 8), (300, 3, 4, 4), (7,), (5,)]


@pytest.mark.parametrize("kind", ["muon", "adam"])
def test_steps_equal_the_optimisers(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in SHAPES]
    gradients = [[torch.randn(shape, generator=generator) for shape in SHAPES] for _ in range(8)]
    made = {"muon": Muon, "adam": torch.optim.Adam}[kind]
    theirs, ours = ([torch.nn.Parameter(value.clone()) for value in start] for _ in range(2))
    plain, holder = made(theirs, lr=0.1), made(ours, lr=0.1)
    step = DeviceOptimiser(holder, ours)
    for update, given in enumerate(gradients):
        rate = 0.1 / (1 + update)
        for parameter, gradient in zip(theirs, given, strict=True):
            parameter.grad = gradient.clone()
        plain.param_groups[0]["lr"] = rate
        plain.step()
        step.step(given, torch.tensor([rate], dtype=torch.float64))
        if update == 3:  # what is saved goes on, from a copy
            state = {index: dict(holder.state[parameter]) for index, parameter in enumerate(ours)}
            holder = made(ours, lr=0.1)
            groups = holder.state_dict()["param_groups"]
            holder.load_state_dict({"state": state, "param_groups": groups})
            step = DeviceOptimiser(holder, ours)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
        saved, wanted = holder.state[mine], plain.state[other]
        assert saved.keys() == wanted.keys()
        for name, value in wanted.items():
            assert saved[name].shape == torch.as_tensor(value).shape
            torch.testing.assert_close(saved[name], torch.as_tensor(value), rtol=1e-4, atol=1e-5)


def test_clipping_keeps_the_last_norms_in_order() -> None:
    window = ClipWindow(1.0, 5, 3, [2.0, 1.0], torch.device("cpu"))
    clipped, norm = window.clipped([torch.tensor([30.0, 40.0])])
    assert (clipped[0].tolist(), norm.item()) == ([30.0, 40.0], 50.0), "two norms are not enough"
    clipped, _ = window.clipped([torch.tensor([3.0]), torch.tensor([4.0])])
    assert clipped[0].item() == pytest.approx(3 * 2 / 5, rel=1e-5), "the median of 2, 1, 50"
    assert window.recent() == [2.0, 1.0, 50.0, 5.0]
    for size in (6.0, 7.0):
        window.clipped([torch.tensor([size])])
    assert window.recent() == [1.0, 50.0, 5.0, 6.0, 7.0]
    again = ClipWindow(1.0, 5, 3, window.recent(), torch.device("cpu"))
    clipped, _ = again.clipped([torch.tensor([12.0])])
    assert clipped[0].item() == pytest.approx(6.0, rel=1e-5)


def test_settings_say_nothing_of_the_device() -> None:
    """A run's config does not depend on where it was trained, so that it goes on anywhere."""
    assert "device" not in str(Config(train=TrainConfig()).to_dict())

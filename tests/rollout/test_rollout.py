"""Rollouts: true inputs first, then a free run that never sees the future it is asked to predict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hri.core.config import Config
from hri.core.files import read_npz, write_npz
from hri.core.hierarchy import Tree
from hri.core.presets import VARIANTS, preset
from hri.core.records import Normalisation, Rollout, Trajectories
from hri.model.checkpoint import Checkpoint, Header
from hri.physics.springs import simulate
from hri.rollout.rollout import from_arrays, from_frames, from_states, roll_out
from tests.fresh_models import opinionated

STEPS = 16


@cache
def scenes(tree: str = "4-3", count: int = 2) -> Trajectories:
    return simulate(Tree.parse(tree), {"4-3": "04", "3-3": "05"}[tree], range(count), (STEPS + 1) * 100)


def make(
    name: str = "springs-4-3-state-hri", change: Callable[[Config], Config] = lambda c: c, **header: Any
) -> Checkpoint:
    """A fresh model with small steps, so that predictions stay near the box, and opinions about edges."""
    config = change(preset(name))
    normalisation = Normalisation.of(scenes(config.data.tree))
    return Checkpoint(name, opinionated(config, 5), Header(config, normalisation=normalisation, **header))


@cache
def made(name: str = "springs-4-3-state-hri") -> Checkpoint:
    return make(name)


def changed_future(trajectories: Trajectories, after: int) -> Trajectories:
    """The same scenes, but for wild frames after ``after``."""
    x, v = trajectories.positions.copy(), trajectories.velocities.copy()
    chance = np.random.default_rng(3)
    x[:, after + 1 :] = chance.uniform(-0.9, 0.9, x[:, after + 1 :].shape)
    v[:, after + 1 :] = chance.normal(0, 0.5, v[:, after + 1 :].shape)
    return dataclasses.replace(trajectories, positions=x, velocities=v)


def near(first: np.ndarray | None, second: np.ndarray | None, tolerance: float = 1e-5) -> bool:
    return first is not None and second is not None and np.allclose(first, second, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    "name", [f"springs-4-3-state-{v}" for v in VARIANTS] + ["springs-4-3-slot-hri-h", "springs-4-3-par-nri"]
)
@pytest.mark.parametrize("free_steps", [2, 6, STEPS - 1])
def test_a_free_run_does_not_see_the_future(name: str, free_steps: int) -> None:
    seen = roll_out(made(name), scenes(), free_steps)
    assert seen.last_true_input == STEPS - free_steps
    blind = roll_out(made(name), changed_future(scenes(), seen.last_true_input), free_steps)
    assert near(seen.predicted_slots, blind.predicted_slots)
    assert near(seen.edge_probabilities, blind.edge_probabilities)
    assert near(seen.predicted_frames, blind.predicted_frames, 1e-4)
    assert not near(seen.slots, blind.slots)


def test_edges_from_the_truth_do_see_it() -> None:
    seen, blind = (
        roll_out(made(), part, 6, edges_from="truth", pictures=False)
        for part in (scenes(), changed_future(scenes(), STEPS - 6))
    )
    assert not near(seen.edge_logits, blind.edge_logits, 1e-2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_free_steps_truth_and_predictions_are_the_same_edges(variant: str) -> None:
    checkpoint = made(f"springs-4-3-state-{variant}")
    one, two = (
        roll_out(checkpoint, scenes(), 1, edges_from=source, pictures=False) for source in ("predictions", "truth")
    )
    assert near(one.predicted_slots, two.predicted_slots)
    assert near(one.edge_logits, two.edge_logits)


@pytest.mark.parametrize("variant", ["hri", "hri-h", "nri", "nri-lo", "fcmp"])
def test_no_edges_equal_a_model_without_messages(variant: str) -> None:
    checkpoint = make(f"springs-4-3-state-{variant}")
    without = roll_out(checkpoint, scenes(), 6, edges="none", pictures=False)
    with torch.no_grad():  # silence: the networks of every speaking type say nothing
        for layer in checkpoint.model.dynamics.messages.second:
            layer.weight.zero_()
            layer.bias.zero_()
    silent = roll_out(checkpoint, scenes(), 6, pictures=False)
    assert near(without.predicted_slots, silent.predicted_slots)
    assert (without.edge_types == 0).all()


@pytest.mark.parametrize("variant", ["hri", "nri"])
def test_messages_are_listened_to(variant: str) -> None:
    with_edges, without = (
        roll_out(made(f"springs-4-3-state-{variant}"), scenes(), 6, edges=edges, pictures=False)
        for edges in ("true", "none")
    )
    assert not near(with_edges.predicted_slots, without.predicted_slots, 1e-4)


def test_no_edges_cut_every_tie_between_balls() -> None:
    """What one ball does, no other ball feels."""
    moved = scenes().positions.copy()
    moved[:, :, 7] = -moved[:, :, 7]
    other = dataclasses.replace(scenes(), positions=moved)
    one, two = (roll_out(made(), part, 6, edges="none", pictures=False).predicted_slots for part in (scenes(), other))
    untouched = np.arange(17) != 7
    assert near(one[:, :, untouched], two[:, :, untouched])
    assert not near(one[:, :, 7], two[:, :, 7], 1e-3)


@pytest.mark.parametrize("variant", ["hri", "hri-h", "nri-gt"])
def test_true_edges_are_the_springs(variant: str) -> None:
    rolled = roll_out(made(f"springs-4-3-state-{variant}"), scenes(), 5, edges="true", pictures=False)
    senders, receivers = rolled.edge_sender_receiver.T
    assert (rolled.edge_types == scenes().adjacency[:, None, senders, receivers]).all()


def test_types_are_the_most_probable_ones_or_a_draw() -> None:
    likely = roll_out(made(), scenes(), 5, pictures=False)
    assert (likely.edge_types == likely.edge_probabilities.argmax(-1)).all()
    first, again, other = (roll_out(made(), scenes(), 5, edges="sample", seed=s, pictures=False) for s in (1, 1, 2))
    assert near(first.predicted_slots, again.predicted_slots, 0)
    assert (first.edge_types != other.edge_types).any()


def test_scenes_side_by_side_do_not_feel_each_other() -> None:
    both = roll_out(made(), scenes(), 5)
    alone = roll_out(made(), scenes()[1:2], 5)
    assert near(both.scene(1).predicted_slots, alone.predicted_slots)
    assert near(both.scene(1).edge_logits, alone.edge_logits)
    assert (both.scene(1).frames == alone.frames).all()


@pytest.mark.parametrize("tree", ["4-3", "3-3"])
def test_shapes_tell_what_was_predicted(tree: str) -> None:
    size = Tree.parse(tree).size
    rolled = roll_out(made(f"springs-{tree}-state-hri-h"), scenes(tree), 4)
    assert rolled.tree == Tree.parse(tree)
    assert rolled.slots.shape == (2, STEPS, size, 4)
    assert rolled.predicted_slots.shape == (2, STEPS - 1, size, 4)
    assert rolled.edge_logits.shape == (2, STEPS, len(rolled.edge_sender_receiver), 2)
    assert rolled.frames.shape == (2, STEPS, 32, 32, 3)  # type: ignore[union-attr]
    assert rolled.predicted_frames.shape == (2, STEPS - 1, 32, 32, 3)  # type: ignore[union-attr]
    assert rolled.edge_probabilities.sum(-1) == pytest.approx(1.0, abs=1e-5)


def test_slot_images_add_up_to_the_predicted_frames() -> None:
    rolled = roll_out(made("springs-4-3-slot-hri-h"), scenes(), 4)
    assert rolled.slot_frames is not None
    assert rolled.slot_frames.shape == (2, STEPS - 1, 16, 32, 32, 3)
    assert near(rolled.slot_frames.sum(2), rolled.predicted_frames, 1e-4)
    assert roll_out(made("springs-4-3-par-nri"), scenes(), 4).slot_frames is None


def test_leaves_alone_are_predicted_and_drawn_where_the_model_knows_no_more() -> None:
    rolled = roll_out(made("springs-4-3-state-lstm-lo"), scenes(), 4)
    assert rolled.predicted_slots.shape[2] == 12
    assert rolled.predicted_frames is not None
    assert rolled.predicted_frames.max() > 0.5


@pytest.mark.parametrize("name", ["springs-4-3-state-hri", "springs-4-3-slot-hri-h"])
def test_a_saved_rollout_is_the_same_when_loaded(name: str, tmp_path: Path) -> None:
    rolled = roll_out(made(name), scenes(), 4)
    rolled.save(tmp_path / "r.npz")
    loaded = Rollout.load(tmp_path / "r.npz")
    for field in dataclasses.fields(Rollout):
        first, second = getattr(rolled, field.name), getattr(loaded, field.name)
        assert np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second
    stored = read_npz(tmp_path / "r.npz")
    promised = {"slots", "edge_sender_receiver", "edge_logits", "edge_probabilities", "predicted_slots"}
    if "slot" in name:
        promised |= {"reconstructed_frames", "predicted_frames", "slot_frames"}
        assert stored["predicted_frames"].dtype == np.float32
    assert promised <= stored.keys()


def simulation(trajectories: Trajectories) -> dict[str, np.ndarray]:
    """The arrays that ``simulate`` writes."""
    return {f.name: getattr(trajectories, f.name) for f in dataclasses.fields(trajectories)}


def rolled_from(checkpoint: Checkpoint, arrays: dict[str, np.ndarray], **choices: Any) -> Rollout:
    rolled = from_arrays(checkpoint, arrays, "input.npz", **choices)
    assert isinstance(rolled, Rollout)
    return rolled


def test_every_kind_of_input_gives_the_same_prediction(tmp_path: Path) -> None:
    checkpoint, arrays = made(), simulation(scenes())
    write_npz(tmp_path / "input.npz", arrays)
    whole = rolled_from(checkpoint, read_npz(tmp_path / "input.npz"), edges="true")
    senders, receivers = Tree.parse("4-3").edges
    order = np.random.default_rng(0).permutation(len(senders))  # any order of pairs will do
    states = {
        "states": whole.slots.astype(np.float64),
        "true_edges": scenes().adjacency[:, senders, receivers][:, order],
        "true_edge_sender_receiver": np.stack([senders, receivers], 1)[order].astype(np.uint8),
    }
    plain = rolled_from(checkpoint, states, edges="true")
    assert near(whole.predicted_slots, plain.predicted_slots)
    assert (plain.true_adjacency == scenes().adjacency).all()

    image = made("springs-4-3-slot-hri-h")
    drawn = rolled_from(image, arrays)
    assert drawn.frames is not None
    framed = rolled_from(image, {"frames": drawn.frames} | states)
    assert near(drawn.predicted_frames, framed.predicted_frames)
    assert near(drawn.true_states, framed.true_states)
    assert (drawn.true_adjacency == framed.true_adjacency).all()


def test_encoder_and_decoder_alone_reconstruct_a_simulation() -> None:
    alone = make("springs-4-3-slot-hri", parts="vision")
    parts = from_arrays(alone, simulation(scenes()), "input.npz")
    assert isinstance(parts, dict)
    assert {name: value.shape for name, value in parts.items()} == {
        "frames": (2, STEPS, 32, 32, 3),
        "slots": (2, STEPS, 16, 16),
        "reconstructed_frames": (2, STEPS, 32, 32, 3),
    }


STATES = np.zeros((2, STEPS, 17, 4), np.float32)
FRAMES = np.zeros((2, STEPS, 32, 32, 3), np.uint8)
PAIRS = np.array([[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("name", "arrays", "says"),
    [
        ("state-hri", {}, "holds nothing; springs-4-3-state-hri needs states"),
        ("state-hri", {"frames": FRAMES}, "holds frames; .* needs states"),
        ("slot-hri-h", {"states": STATES}, "holds states; .* needs frames"),
        ("state-hri", {"states": STATES[0]}, r"states in input.npz are float32 \[16, 17, 4\]"),
        ("state-hri", {"states": STATES.astype(int)}, "must be floats"),
        ("state-hri", {"states": STATES[:0]}, "must be floats"),
        ("state-hri", {"states": STATES[:, :, :13]}, r"needs \[B, T, 17, 4\]"),
        ("state-hri", {"states": STATES + np.nan}, "not finite"),
        ("state-hri", {"states": STATES[:, :5]}, "10 free steps do not fit 5 frames"),
        (
            "state-hri",
            {"states": STATES, "true_edges": np.ones((2, 3)), "true_edge_sender_receiver": PAIRS},
            "they must be",
        ),
        (
            "state-hri",
            {"states": STATES, "true_edges": np.ones((2, 2), int), "true_edge_sender_receiver": PAIRS + 16},
            "from 0 to 16",
        ),
        ("slot-hri-h", {"frames": FRAMES.astype(float)}, "needs uint8"),
        ("slot-hri-h", {"frames": FRAMES[:, :, :16]}, r"needs uint8 \[B, T, 32, 32, 3\]"),
        ("slot-hri-h", {"frames": FRAMES[:0]}, "needs uint8"),
        ("slot-hri-h", {"frames": FRAMES, "states": STATES[:1]}, "another number of states"),
        ("state-hri", {"positions": STATES[..., :2]}, "lacks adjacency, velocities"),
        ("state-hri", simulation(scenes()) | {"positions": STATES}, r"must be floats \[S, T, N, 2\]"),
        ("state-hri", simulation(scenes()) | {"velocities": STATES[:, 1:, :, :2]}, "velocities in input.npz are"),
        ("state-hri", simulation(scenes()) | {"adjacency": np.zeros((2, 3, 3))}, "adjacency in input.npz are"),
        ("state-hri", simulation(scenes()) | {"seeds": np.array(["a", "b"])}, "seeds in input.npz are"),
        ("state-hri", simulation(scenes("3-3")), r"trained on 17 balls \(tree 4-3\), this scene has 13"),
        ("slot-hri-h", simulation(scenes("3-3")), "trained on 17 balls"),
        ("state-hri", simulation(scenes()) | {"positions": scenes().positions * np.inf}, "not finite"),
    ],
)
def test_wrong_arrays_are_answered_with_a_sentence(name: str, arrays: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        from_arrays(made(f"springs-4-3-{name}"), arrays, "input.npz")
    assert "\n" not in str(caught.value)


def test_choices_that_do_not_fit_are_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="choose 1 to 15"):
        roll_out(made(), scenes(), STEPS)
    with pytest.raises(ValueError, match="choose 1 to 15"):
        roll_out(made(), scenes(), 0)
    with pytest.raises(ValueError, match="true springs are not known"):
        from_states(made(), STATES, None, 5, edges="true")
    with pytest.raises(ValueError, match="true springs are not known"):
        from_states(made("springs-4-3-state-hri-gt"), STATES, None, 5)
    with pytest.raises(ValueError, match="true edges have shape"):
        from_states(made(), STATES, np.ones((2, 5), int), 5, edges="true")
    with pytest.raises(ValueError, match="sees images"):
        from_states(made("springs-4-3-slot-hri-h"), STATES)
    with pytest.raises(ValueError, match="sees states"):
        from_frames(made(), FRAMES)
    with pytest.raises(ValueError, match="true springs join balls, not image slots"):
        from_frames(made("springs-4-3-slot-hri-h"), FRAMES, edges="true")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a zip", b"PK\x03\x04 cut off"],
)
def test_a_file_that_is_no_rollout_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"r\.npz is not a readable \.npz"):
        Rollout.load(path)
    write_npz(path, simulation(scenes()))
    with pytest.raises(ValueError, match="is not a rollout: it lacks edge_logits"):
        Rollout.load(path)

"""Laws of the model's parts, each against its plain definition."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hri.core.config import Config, DynamicsConfig, ModelConfig, RelationsConfig, RenderConfig, VisionConfig
from hri.core.decoding import DECODERS
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.presets import PRESETS, VARIANTS
from hri.model.choices import given, held, most_likely, sampled, soft, straight
from hri.model.decoders import ParallelDecoder, SlotDecoder, with_index
from hri.model.encoder import LeafEncoder
from hri.model.inputs import INERTIA
from hri.model.layers import Edges, Messages, Norm, gumbel_noise, linear
from hri.model.losses import dissimilarity, edge_prior, frame_nll, state_nll
from hri.model.model import Model
from hri.model.relations import Relations
from hri.model.vision import Vision
from hri.scores.metrics import frame_likeness
from hri.training.patches import choose, tile_loss

TREE = Tree.parse("4-3")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def build(variant: str = "hri", seen: str = "state", tree: str = "4-3") -> Model:
    model = Model(PRESETS[f"springs-{tree}-{seen}-{variant}"]).eval()
    # Batch norm with other than its initial statistics, so that forgetting it would show.
    for part in model.modules():
        if isinstance(part, Norm):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    return model


def states(batch: int = 3, steps: int = 20, tree: Tree = TREE, width: int = 4) -> Tensor:
    return torch.randn(batch, steps, tree.size, width) / 3


def test_first_layer_of_pairs_is_the_layer_of_concatenated_pairs() -> None:
    edges, layer, nodes = Edges(*TREE.edges, TREE.size), linear(10, 7), torch.randn(17, 6, 5, requires_grad=True)
    pairs = torch.cat([nodes[edges.receivers], nodes[edges.senders]], -1)
    torch.testing.assert_close(edges.first_layer(layer, nodes), layer(pairs))
    weight = torch.randn(272, 6, 7)
    ours = torch.autograd.grad((edges.first_layer(layer, nodes) * weight).sum(), [nodes, layer.weight, layer.bias])
    plain = torch.autograd.grad((layer(pairs) * weight).sum(), [nodes, layer.weight, layer.bias])
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("edge_types", [2, 3, 4])
@pytest.mark.parametrize("silent", [True, False])
def test_messages_are_the_formula(edge_types: int, silent: bool) -> None:
    tree = Tree.parse("2-2")
    edges, messages = Edges(*tree.edges, tree.size), Messages(6, edge_types, silent)
    hidden, weights = torch.randn(tree.size, 2, 6), torch.rand(len(tree.edges[0]), 2, edge_types)
    expected = torch.zeros_like(hidden)
    for row, (sender, receiver) in enumerate(zip(*tree.edges, strict=True)):
        pair = torch.cat([hidden[receiver], hidden[sender]], -1)
        for network, kind in enumerate(range(1 if silent else 0, edge_types)):
            spoken = torch.tanh(messages.second[network](torch.tanh(messages.first[network](pair))))
            expected[receiver] += weights[row, :, kind : kind + 1] * spoken / (edge_types - silent)
    torch.testing.assert_close(messages(hidden, weights, edges), expected)


def test_norm_is_batch_norm() -> None:
    ours, theirs = Norm(5), nn.BatchNorm1d(5)
    for _ in range(3):
        values = torch.randn(40, 5) * 3 + 1
        torch.testing.assert_close(ours(values), theirs(values))
    values = torch.randn(8, 5)
    torch.testing.assert_close(ours(values, still=True), theirs.eval()(values))


def test_relations_are_the_two_rounds() -> None:
    relations = Relations(RelationsConfig(hidden=8), TREE, 4).eval()
    windows = torch.randn(17, 3, 40)
    sender, receiver = relations.edges.senders, relations.edges.receivers

    def mlp(block: nn.Module, values: Tensor) -> Tensor:
        values = F.elu(block.second(F.elu(block.first(values))))
        return block.norm(values.flatten(0, -2)).view_as(values)

    nodes = mlp(relations.embed, windows)
    first = mlp(relations.edge, torch.cat([nodes[receiver], nodes[sender]], -1))
    summed = torch.zeros(17, 3, 8).index_add_(0, receiver, first) / 17
    nodes = mlp(relations.node, summed)
    second = mlp(relations.edge_again, torch.cat([nodes[receiver], nodes[sender], first], -1))
    torch.testing.assert_close(relations(windows), relations.to_type(second), rtol=1e-4, atol=1e-5)


def test_windows_hold_the_ten_most_recent_states_oldest_first() -> None:
    relations = Relations(RelationsConfig(), TREE, 4)
    truth = states(steps=15).permute(2, 1, 0, 3)
    windows = relations.burn_in_windows(truth, 15)
    torch.testing.assert_close(windows[:, 12], truth[:, 2:12].permute(0, 2, 1, 3).flatten(2))
    assert not windows[:, 0].any()
    torch.testing.assert_close(windows[:, 3, :, -12:], truth[:, :3].permute(0, 2, 1, 3).flatten(2))
    for time in (1, 4, 12):
        latest = relations.latest_window(list(truth.unbind(1)[:time]))
        torch.testing.assert_close(latest[:, 0], windows[:, time])


def test_published_window_is_one_state_ten_times() -> None:
    relations = Relations(RelationsConfig(window="published"), TREE, 4)
    truth = states(steps=15).permute(2, 1, 0, 3)
    windows = relations.burn_in_windows(truth, 15)
    torch.testing.assert_close(windows[:, 12], truth[:, 2].repeat(1, 1, 10))
    assert not windows[:, 9].any()
    torch.testing.assert_close(relations.latest_window(list(truth.unbind(1)[:12]))[:, 0], windows[:, 12])


def test_edges_and_predictions_never_see_the_present_or_the_future() -> None:
    model, seen = build(), states()
    changed = seen.clone()
    changed[:, 12:] += 1
    with torch.no_grad():
        before, after = (model.predict(x, 1, most_likely, "truth") for x in (seen, changed))
    torch.testing.assert_close(before.logits[:, :13], after.logits[:, :13])
    torch.testing.assert_close(before.slots[:, :12], after.slots[:, :12])
    assert not torch.allclose(before.logits[:, 13], after.logits[:, 13])


def test_free_run_is_a_function_of_the_burn_in_alone() -> None:
    model, seen = build("hri-h"), states()
    changed = seen.clone()
    changed[:, 13:] = 99  # 8 free steps of 20 frames: inputs 0 ... 12 are true
    with torch.no_grad():
        before, after = (model.predict(x, 8, most_likely) for x in (seen, changed))
        peeking = [model.predict(x, 8, most_likely, "truth") for x in (seen, changed)]
    torch.testing.assert_close(before, after)
    assert not torch.allclose(peeking[0].logits[:, -1], peeking[1].logits[:, -1])


def test_free_run_feeds_predictions_back() -> None:
    model, seen = build("hri-h"), states()
    with torch.no_grad():
        free = model.predict(seen, 5, most_likely)
        filled = seen.clone()
        filled[:, 16:] = free.slots[:, 15:]
        torch.testing.assert_close(model.predict(filled, 1, most_likely).slots, free.slots, rtol=1e-4, atol=1e-5)


def test_a_static_graph_gathers_evidence_and_keeps_it() -> None:
    config = PRESETS["springs-4-3-state-hri-h"]
    relations = dataclasses.replace(config.model.relations, graph="static")
    static, seen = Model(config).eval(), states()
    kept = Model(dataclasses.replace(config, model=dataclasses.replace(config.model, relations=relations))).eval()
    kept.load_state_dict(static.state_dict())
    with torch.no_grad():
        anew, once = static.predict(seen, 8, most_likely), kept.predict(seen, 8, most_likely)
    # Until the last true input, the mean over the full windows of ten states so far (the latest window before there is
    # a full one); from then on the same graph.
    known = 20 - 8 + 2
    means = torch.stack([anew.logits[:, min(time, 10) : time + 1].mean(1) for time in range(known)], 1)
    torch.testing.assert_close(once.logits[:, :known], means, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(once.logits[:, known:], means[:, -1:].expand_as(once.logits[:, known:]))


def test_straight_through_speaks_one_type_with_the_soft_gradient() -> None:
    noise = gumbel_noise((2, 3, 4, 5), torch.Generator().manual_seed(0))
    loud = torch.randn(4, 3, 2, 5)
    one, two = (torch.zeros(4, 3, 2, 5, requires_grad=True) for _ in range(2))
    hard = straight(noise, 0.5)(one, slice(0, 3))
    softly = soft(noise, 0.5)(two, slice(0, 3))
    torch.testing.assert_close(hard, F.one_hot(softly.argmax(-1), 5).float())
    (hard * loud).sum().backward()
    (softly * loud).sum().backward()
    torch.testing.assert_close(one.grad, two.grad)


def test_no_pair_pulls_harder_than_it_may() -> None:
    logits = torch.zeros(3, 1, 1, 2, requires_grad=True)
    pull = torch.tensor([[5.0, 1.0], [1.1, 1.0], [-50.0, 10.0]])[:, None, None]
    (held(lambda given, times: given * 1.0, 0.5)(logits, slice(0, 1)) * pull).sum().backward()
    # Of a pair's pull on its types only their difference matters: 2 and -2, 0.05 and -0.05, -30 and 30 before the cut.
    torch.testing.assert_close(logits.grad[:, 0, 0], torch.tensor([[0.5, -0.5], [0.05, -0.05], [-0.5, 0.5]]))


def test_unlike_frames_are_as_unlike_as_their_score_says() -> None:
    pictures, truth = torch.rand(2, 5, 3, 16, 16, generator=torch.Generator().manual_seed(1)).unbind()
    assert float(dissimilarity(truth, truth)) == pytest.approx(0, abs=1e-5)
    assert float(dissimilarity(pictures, truth)) == pytest.approx(
        1 - frame_likeness(pictures, truth)["ssim"].mean(), abs=1e-5
    )


def test_cutting_every_edge_equals_a_model_without_messages() -> None:
    model, seen = build("hri"), states()
    none = given(torch.zeros(3, 272, dtype=torch.long))
    with torch.no_grad():
        cut = model.predict(seen, 5, none).slots
        for part in model.dynamics.messages.second:
            part.weight.zero_()
            part.bias.zero_()
        torch.testing.assert_close(cut, model.predict(seen, 5, most_likely).slots)


def test_a_cut_pair_no_longer_influences() -> None:
    """Flat messages along one edge only: the receiver alone differs from no messages."""
    model, seen = build("nri"), states()
    model.dynamics.residual = True
    row = 40
    types = torch.zeros(3, 272, dtype=torch.long)
    types[:, row] = 1
    with torch.no_grad():
        silent = model.predict(seen, 1, given(torch.zeros_like(types))).slots
        spoken = model.predict(seen, 1, given(types)).slots
    changed = (silent - spoken).abs().amax((0, 1, 3)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [int(model.receivers[row])]


def test_exchanging_siblings_exchanges_the_answer() -> None:
    model, seen = build("hri"), states()
    order = torch.arange(17)
    order[[5, 6]] = order[[6, 5]]  # two leaves of the first intermediate
    with torch.no_grad():
        direct = model.predict(seen[:, :, order], 5, most_likely).slots
        torch.testing.assert_close(direct, model.predict(seen, 5, most_likely).slots[:, :, order], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("seen", "variant"),
    [
        (seen, variant)
        for seen in ("state", "slot", "par", "overlap")
        for variant in sorted(VARIANTS)
        if f"springs-4-3-{seen}-{variant}" in PRESETS  # springs join balls, not slots: images have no oracle
    ],
)
def test_every_variant_runs_and_its_error_reaches_every_weight(seen: str, variant: str) -> None:
    model = build(variant, seen).train()
    if not model.sees_frames:
        slots = states(2, 13)
    else:
        frames = torch.rand(2, 13, 3, 32, 32)
        slots = model.observe(frames)
        assert slots.shape == (2, 13, 21, 48 if seen == "overlap" else 16)
    edges = len(model.senders)
    pick = soft(gumbel_noise((2, 13, edges, 2), torch.Generator().manual_seed(0)), 0.5)
    if model.source != "inferred":
        pick = given(torch.ones(2, edges, dtype=torch.long))
    prediction = model.predict(slots, 4, pick)
    nodes = len(model.tree.leaves) if model.joint_leaves else model.tree.size
    assert prediction.slots.shape == (2, 12, nodes, slots.shape[-1])
    assert prediction.logits.shape == (2, 13, edges, 2)
    prediction.slots.square().sum().backward()
    silent = [n for n, p in model.dynamics.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent
    if model.relations is not None:
        unheard = [n for n, p in model.relations.named_parameters() if p.grad is None or not p.grad.any()]
        assert not unheard


@pytest.mark.parametrize("variant", ["hri-h", "nri", "lstm"])
def test_a_dynamics_that_sees_changes_is_given_the_last_one(variant: str) -> None:
    """In the burn-in and in the free run alike; at the first frame nothing has changed."""
    model, slots = build(variant, "strided"), states(2, 13, SLOT_TREE, 48)
    pick = given(torch.ones(2, len(model.senders), dtype=torch.long))
    with torch.no_grad():
        future = model.predict(slots, 4, pick)
        inputs = torch.cat([slots[:, :10], future.slots[:, 9:12]], 1).permute(1, 2, 0, 3)  # T N B D
        memory = model.dynamics.start(inputs[0])
        for time, now in enumerate(inputs[:12]):
            change = now - inputs[time - 1] if time else torch.zeros_like(now)
            seen = torch.cat([now, change], -1)
            memory = model.dynamics(seen, memory, future.weights[:, time].transpose(0, 1))
            after = model.dynamics.predict(seen, memory.hidden)
            torch.testing.assert_close(after.transpose(0, 1), future.slots[:, time], rtol=1e-3, atol=1e-4)


def test_a_dynamics_that_sees_changes_begins_with_a_share_of_the_last_one() -> None:
    model, slots = build("hri-h", "strided"), states(2, 13, SLOT_TREE, 48)
    for weight in model.dynamics.out.parameters():
        nn.init.zeros_(weight)
    with torch.no_grad():
        following = model.predict(slots, 1, most_likely).slots
    change = slots[:, 1:-1] - slots[:, :-2]
    torch.testing.assert_close(following[:, 1:], slots[:, 1:-1] + INERTIA * change)


def test_only_a_dynamics_that_knows_places_tells_equal_slots_apart() -> None:
    apart = {}
    for places in (False, True):
        preset = PRESETS["springs-4-3-strided-nri"]
        dynamics = dataclasses.replace(preset.model.dynamics, places=places)
        torch.manual_seed(0)
        model = Model(dataclasses.replace(preset, model=dataclasses.replace(preset.model, dynamics=dynamics))).eval()
        slots = torch.randn(1, 12, 1, 48).expand(-1, -1, SLOT_TREE.size, -1)
        with torch.no_grad():
            future = model.predict(slots, 4, most_likely)
            inputs, weights = model.moving(slots.permute(1, 2, 0, 3)), future.weights.permute(2, 1, 0, 3)
            stepped = model.dynamics.step_by_step(inputs, model.dynamics.start(inputs[0]), weights)[0]
            fast = model.dynamics.burn_in(inputs, model.dynamics.start(inputs[0]), weights)[0]
        torch.testing.assert_close(fast, stepped)
        apart[places] = float((future.slots - future.slots[:, :, :1]).abs().max())
    assert apart[False] < 1e-4 < 1e-2 < apart[True]


def test_a_joint_dynamics_is_not_told_places() -> None:
    with pytest.raises(ValueError, match=r"leave model\.dynamics\.places off"):
        Config(model=ModelConfig(dynamics=DynamicsConfig(passing="joint", places=True)))


def test_a_dynamics_without_memory_sees_no_changes() -> None:
    with pytest.raises(ValueError, match=r"knows no last step; leave model\.dynamics\.changes off"):
        Config(model=ModelConfig(dynamics=DynamicsConfig(memory="none", changes=True)))


@pytest.mark.parametrize("seen", ["slot", "par"])
def test_frames_in_frames_out(seen: str) -> None:
    model, frames = build("hri-h", seen), torch.rand(2, 13, 3, 32, 32)
    with torch.no_grad():
        expected = model(frames, 4)
        leaves = model.predict(model.observe(frames), 4, most_likely).slots[:, :, 5:]
        drawn = torch.stack([model.vision.decoder(scene) for scene in leaves])
    assert expected.shape == (2, 12, 3, 32, 32)
    torch.testing.assert_close(expected, drawn)


def test_states_in_states_out() -> None:
    model, seen = build("hri-h"), states()
    with torch.no_grad():
        torch.testing.assert_close(model(seen, 4), model.predict(seen, 4, most_likely).slots, rtol=0, atol=0)


def test_passing_over_edges_that_are_not_inferred_is_refused() -> None:
    config = Config(model=ModelConfig(relations=RelationsConfig(pairs="leaves"), dynamics=DynamicsConfig()))
    with pytest.raises(ValueError, match="pairs = all or hierarchy"):
        Model(config)


def test_gumbel_choices() -> None:
    logits = torch.randn(30, 4, 2, 3)
    noise = gumbel_noise((2, 4, 30, 3), torch.Generator().manual_seed(1))
    weights = soft(noise, 0.5)(logits, slice(0, 4))
    torch.testing.assert_close(weights.sum(-1), torch.ones(30, 4, 2))
    hard = sampled(noise)(logits, slice(0, 4))
    assert (hard.argmax(-1) == weights.argmax(-1)).all()
    assert ((hard == 0) | (hard == 1)).all()
    # The Gumbel-max trick draws from the softmax.
    many = gumbel_noise((1, 20000, 1, 3), torch.Generator().manual_seed(2))
    fixed = torch.tensor([0.1, 1.0, -0.5]).expand(1, 20000, 1, 3)
    drawn = sampled(many)(fixed, slice(0, 20000)).mean((0, 1, 2))
    torch.testing.assert_close(drawn, torch.softmax(fixed[0, 0, 0], -1), atol=0.015, rtol=0)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("decoder", list(DECODERS))
@pytest.mark.parametrize("grey", [False, True])
def test_vision_shapes(size: int, decoder: str, grey: bool) -> None:
    config = PRESETS[f"springs-4-3-{decoder}-hri"]
    config = dataclasses.replace(
        config, data=dataclasses.replace(config.data, render=RenderConfig(size=size, grey=grey))
    )
    frames = torch.rand(2, 1 if grey else 3, size, size)
    assert Vision(config.model.vision, config.data.render)(frames).shape == frames.shape


def test_a_slotdec_slot_sees_its_own_patch_only() -> None:
    encoder = LeafEncoder(VisionConfig(decoder="slot"), RenderConfig()).eval()
    frames = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        before = encoder.slots(encoder.map(frames))
        for leaf in range(16):
            left, top, right, bottom = (SLOT_TREE.cells[5 + leaf] * 32).astype(int)
            changed = frames.clone()
            changed[:, :, top:bottom, left:right] = 1 - changed[:, :, top:bottom, left:right]
            moved = (encoder.slots(encoder.map(changed)) - before).abs().amax((0, 2)) > 0
            assert moved.nonzero().flatten().tolist() == [leaf]


def test_a_slotdec_slot_of_a_large_frame_sees_its_patch_and_the_rim_around_it() -> None:
    """At 64 x 64 an 8 x 8 convolution comes first; it lets 4 pixels of the neighbouring patches of 16 in."""
    encoder = LeafEncoder(VisionConfig(decoder="slot"), RenderConfig(size=64, grey=True)).eval()
    frames = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        before = encoder.slots(encoder.map(frames))
        for leaf in range(16):
            left, top, right, bottom = (SLOT_TREE.cells[5 + leaf] * 64).astype(int)
            for rim, wanted in ((0, 1), (4, 0)):
                changed = frames.clone()
                part = changed[:, :, top + rim : bottom - rim, left + rim : right - rim]
                part.copy_(1 - part)
                moved = ((encoder.slots(encoder.map(changed)) - before).abs().amax((0, 2)) > 0).nonzero().flatten()
                assert leaf in moved.tolist()
                assert (len(moved) > 1) == (wanted == 1)


def test_slotdec_is_a_sum_and_pardec_lays_slots_out() -> None:
    vision, render = VisionConfig(), RenderConfig()
    slots = torch.rand(2, 16, 16)
    decoder = SlotDecoder(vision, render)
    torch.testing.assert_close(decoder(slots), decoder.each(slots).sum(1))

    together = ParallelDecoder(vision, render)
    changed = slots.clone()
    changed[:, 5] += 1  # column 1, row 1 of the 4 x 4 layout
    moved = (together(changed) - together(slots)).abs().amax((0, 1)) > 1e-7
    rows, columns = moved.nonzero().unbind(1)
    assert rows.float().mean().sub(11.5).abs() < 1
    assert columns.float().mean().sub(11.5).abs() < 1


@pytest.mark.parametrize("kind", [SlotDecoder, ParallelDecoder])
def test_drawing_in_pieces_is_drawing_at_once(kind: type[SlotDecoder] | type[ParallelDecoder]) -> None:
    torch.manual_seed(0)
    decoder = kind(VisionConfig(), RenderConfig())
    slots = torch.rand(70, 16, 16)  # SlotDec: 1,120 images, ParDec: 70
    at_once = decoder(slots)
    assert at_once.requires_grad, "with gradients nothing is cut"
    with torch.inference_mode():
        pieces = decoder(slots)
        assert decoder(slots[:0]).shape == (0, 3, 32, 32)
    assert pieces.is_contiguous()
    torch.testing.assert_close(pieces, at_once.detach(), rtol=0, atol=1e-6)


def test_tiles_are_parts_of_the_whole_image() -> None:
    """The tile loss over all other tiles is the loss of the whole masked image."""
    decoder = SlotDecoder(VisionConfig(), RenderConfig())
    frames = torch.rand(2, 3, 32, 32) * (torch.rand(2, 1, 32, 32) > 0.9)
    slots = torch.rand(2, 16, 16)
    rows, weights, _ = choose(frames, torch.Generator().manual_seed(0))
    from hri.model.encoder import LEAF_CELLS

    images = decoder.draw(with_index(slots).flatten(0, 1)[rows])
    target = torch.zeros_like(images)
    for index, row in enumerate(rows.tolist()):
        cell = int(LEAF_CELLS[row % 16])
        top, left = cell // 4 * 8, cell % 4 * 8
        target[index, :, top : top + 8, left : left + 8] = frames[row // 16, :, top : top + 8, left : left + 8]
    whole = (((images - target) ** 2).sum((1, 2, 3)) * weights).sum() / 2
    sampled_losses = [
        tile_loss(decoder, slots, frames, rows, weights, (LEAF_CELLS[rows % 16] + other) % 16) for other in range(1, 16)
    ]
    torch.testing.assert_close(torch.stack(sampled_losses).mean(), whole, rtol=1e-4, atol=1e-4)


def test_chosen_patches_stand_for_all_of_them() -> None:
    frames = torch.zeros(400, 3, 32, 32)
    frames[:, :, 3, 3] = 1  # one filled patch a frame
    rows, weights, others = choose(frames, torch.Generator().manual_seed(0))
    assert (rows % 16 == 0).sum() == 400
    assert float(weights.sum()) == pytest.approx(400 * 16, rel=0.1)
    assert ((others >= 0) & (others < 16)).all()


def test_losses_are_their_formulas() -> None:
    predicted, truth = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4)
    nll = state_nll(predicted, truth, 5e-5)
    expected = sum(float((predicted[b, :, 2] - truth[b, :, 2]).square().sum()) for b in range(2)) / 2 / 1e-4
    assert float(nll[2]) == pytest.approx(expected, rel=1e-5)
    images = torch.rand(3, 3, 4, 4)
    assert float(frame_nll(images, images + 0.1, 5e-5)) == pytest.approx(48 * 0.01 / 1e-4, rel=1e-4)
    logits = torch.zeros(2, 7, 11, 2)
    assert float(edge_prior(logits, 17, 0.0)) == pytest.approx(-np.log(2) * 2 * 7 * 11 / (17 * 2), rel=1e-5)
    assert float(edge_prior(logits + torch.tensor([3.0, 0.0]), 17, 0.0)) > float(edge_prior(logits, 17, 0.0))
    matching = torch.log(torch.tensor([0.9, 0.1])).expand(2, 7, 11, 2)
    assert float(edge_prior(matching, 17, 0.9)) == pytest.approx(0, abs=1e-5)

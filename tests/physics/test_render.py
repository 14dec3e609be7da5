"""Frames obey the geometry they are drawn by, and equal the published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hri.core.config import RenderConfig
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.physics.palette import CURTAIN, LUMINANCE, PALETTE, half_axes, to_pixels
from hri.physics.render import curtains, draw

TREE = Tree.parse("4-3")
WHITE = 3
ONE_BALL = Tree((-1, 0, 0, 0))
"""Root and three leaves; leaf 3 is white."""


def lone_ball(x: float, y: float, config: RenderConfig = RenderConfig()) -> np.ndarray:
    """One white ball, the others hidden: [H, W] in 0 ... 1."""
    positions = np.full((1, 4, 2), np.nan)
    positions[0, WHITE] = x, y
    return draw(positions, ONE_BALL, config)[0, :, :, 0] / 255


def scatter(count: int, tree: Tree = TREE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, tree.size, 2))


@pytest.mark.parametrize(("tree", "physics"), [("4-3", "04"), ("3-3", "05")])
def test_frames_equal_the_published_ones(reference: Path, tree: str, physics: str) -> None:
    with np.load(reference / "springs" / f"springs_{tree}_{physics}_seeds_42-45.npz") as published:
        frames, positions = published["frames"], published["positions"]
    nodes = Tree.parse(tree)
    ours = draw(positions[: len(frames)].reshape(-1, nodes.size, 2), nodes)
    error = np.abs(ours.astype(float) - frames.reshape(ours.shape))
    assert error.mean() <= 0.5
    assert error.max() <= 24


@pytest.mark.parametrize("config", [RenderConfig(), RenderConfig(size=64), RenderConfig(grey=True, shapes="mixed")])
def test_shape_and_type(config: RenderConfig) -> None:
    frames = draw(scatter(5), TREE, config)
    assert frames.shape == (5, config.size, config.size, config.channels)
    assert frames.dtype == np.uint8
    assert draw(scatter(0), TREE, config).shape[0] == 0


def test_a_ball_sits_where_the_overlay_is_drawn() -> None:
    for x, y in ((0.0, 0.0), (-0.7, 0.4), (0.63, -0.21)):
        image = lone_ball(x, y)
        columns, rows = np.arange(32) + 0.5, np.arange(32) + 0.5
        mass = image.sum()
        centre = (image.sum(0) @ columns) / mass, (image.sum(1) @ rows) / mass
        np.testing.assert_allclose(centre, to_pixels(np.array([x, y])), atol=0.02)


def test_corners_of_the_box_in_pixels() -> None:
    corners = np.array([[-1.0, -1.0], [1.0, 1.0]])
    np.testing.assert_allclose(to_pixels(corners), 32 * np.array([[0.125, 0.89], [0.9, 0.12]]))
    np.testing.assert_allclose(to_pixels(corners, 64), 2 * to_pixels(corners))


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("radius", [1.0, 2.0])
def test_a_disc_covers_its_area(size: int, radius: float) -> None:
    config = RenderConfig(size=size, radius=radius)
    a, b = half_axes(ONE_BALL, config)[WHITE]
    np.testing.assert_allclose(lone_ball(0.1, 0.05, config).sum(), np.pi * a * b, rtol=0.02)


def test_triangle_and_square_cover_as_much_as_the_disc() -> None:
    tree, config = Tree.regular(3), RenderConfig(shapes="mixed", size=64, level_radii=(0.0, 3.0))
    areas = []
    for leaf in (1, 2, 3):
        positions = np.full((1, 4, 2), np.nan)
        positions[0, leaf] = 0
        areas.append((draw(positions, tree, config) > 0).any(-1).sum())
        frame = draw(positions, tree, config)[0].max(-1)
        np.testing.assert_allclose(frame.sum() / 255, np.prod(half_axes(tree, config)[leaf]) * np.pi, rtol=0.02)
    assert len(set(areas)) == 3, "three shapes, three outlines"


def test_a_triangle_stands_on_its_side() -> None:
    tree, config = Tree.regular(3), RenderConfig(shapes="mixed", radius=3.0)
    positions = np.full((1, 4, 2), np.nan)
    positions[0, 2] = 0
    rows = draw(positions, tree, config)[0].max(-1).astype(float).sum(1)
    inside = np.flatnonzero(rows)
    assert (np.diff(rows[inside[1:-1]]) > 0).all(), "each row down is wider than the one above"


def test_moving_a_ball_by_a_pixel_moves_the_image_by_a_pixel() -> None:
    one_pixel = 2 / (0.775 * 32)
    moved = np.roll(lone_ball(0.1, 0.2), 1, axis=1)
    np.testing.assert_allclose(lone_ball(0.1 + one_pixel, 0.2), moved, atol=1.01 / 255)


def test_the_disc_is_its_own_mirror_image() -> None:
    middle_x, middle_y = (0.5 - 0.125) * 2 / 0.775 - 1, (0.5 - 0.11) * 2 / 0.77 - 1
    image = lone_ball(middle_x, middle_y)
    np.testing.assert_allclose(image, image[:, ::-1], atol=1.01 / 255)
    np.testing.assert_allclose(image, image[::-1], atol=1.01 / 255)


def test_moving_one_ball_changes_only_its_pixels() -> None:
    before = scatter(1)
    after = before.copy()
    after[0, 9] += 0.5
    changed = (draw(before, TREE) != draw(after, TREE))[0].any(-1)
    a, b = half_axes(TREE, RenderConfig())[9]
    rows, columns = np.mgrid[:32, :32] + 0.5
    near = np.zeros((32, 32), dtype=bool)
    for x, y in to_pixels(np.stack([before[0, 9], after[0, 9]])):
        near |= (np.abs(columns - x) < a + 0.5) & (np.abs(rows - y) < b + 0.5)
    assert changed.any()
    assert not (changed & ~near).any()


def test_only_leaves_are_drawn() -> None:
    before = scatter(3)
    after = before.copy()
    after[:, :5] += 0.3
    np.testing.assert_array_equal(draw(before, TREE), draw(after, TREE))


def test_later_balls_hide_earlier_ones() -> None:
    positions = np.full((1, 17, 2), np.nan)
    positions[0, 6] = positions[0, 12] = 0.2
    together = draw(positions, TREE)[0]
    column, row = to_pixels(positions[0, 6]).astype(int)
    np.testing.assert_array_equal(together[row, column], PALETTE[12 % 7])
    positions[0, 12] = np.nan
    np.testing.assert_array_equal(draw(positions, TREE)[0, row, column], PALETTE[6 % 7])


def test_colours_follow_the_node_number() -> None:
    for node in TREE.leaves:
        positions = np.full((1, 17, 2), np.nan)
        positions[0, node] = 0
        column, row = to_pixels(np.zeros(2)).astype(int)
        np.testing.assert_array_equal(draw(positions, TREE)[0, row, column], PALETTE[node % 7])


@pytest.mark.parametrize("nowhere", [np.nan, np.inf, -np.inf, 1e300, -1e300, 5.0])
def test_a_ball_out_of_sight_draws_nothing(nowhere: float) -> None:
    assert not draw(np.full((2, 17, 2), nowhere), TREE).any()
    half = np.zeros((1, 17, 2))
    half[..., 0] = nowhere
    assert not draw(half, TREE).any()


def test_a_ball_on_the_rim_is_cut_off() -> None:
    whole, rim = lone_ball(0, 0), lone_ball(-1 - 2 * 0.125 / 0.775, 0)
    np.testing.assert_allclose(rim.sum(), whole.sum() / 2, rtol=0.01)


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan, 1e-9])
def test_a_ball_without_size_draws_nothing(radius: float) -> None:
    assert not draw(scatter(1), TREE, RenderConfig(radius=radius)).any()


def test_a_huge_ball_fills_the_frame() -> None:
    assert (lone_ball(0, 0, RenderConfig(radius=1e300)) == 1).all()


def test_grey_is_the_luminance_of_the_colours() -> None:
    positions = scatter(10)
    colour, grey = draw(positions, TREE), draw(positions, TREE, RenderConfig(grey=True))
    np.testing.assert_allclose(grey[..., 0], colour @ LUMINANCE, atol=1.01)


def test_a_frame_of_twice_the_size_shows_the_same_scene() -> None:
    small, large = lone_ball(0.3, -0.2), lone_ball(0.3, -0.2, RenderConfig(size=64))
    np.testing.assert_allclose(large.reshape(32, 2, 32, 2).mean((1, 3)), small, atol=0.02)


def test_level_radii_choose_the_levels() -> None:
    positions = scatter(4)
    np.testing.assert_array_equal(
        draw(positions, TREE, RenderConfig(level_radii=(0.0, 0.0, 1.0))), draw(positions, TREE)
    )
    axes = half_axes(TREE, RenderConfig(radius=2.0, level_radii=(3.0, 1.5)))
    leaf = half_axes(TREE, RenderConfig())[5]
    np.testing.assert_allclose(axes[:5], [6 * leaf, *[3 * leaf] * 4])
    assert not axes[5:].any()
    alone = np.full((1, 17, 2), np.nan)
    alone[0, 0] = 0
    assert draw(alone, TREE, RenderConfig(level_radii=(1.0,))).any()
    assert not draw(alone, TREE, RenderConfig(level_radii=(0.0, 1.0, 1.0))).any()


@pytest.mark.parametrize("size", [32, 64])
def test_the_curtain_hides_one_square_of_each_scene(size: int) -> None:
    config, seeds = RenderConfig(size=size, curtain=True, radius=6.0), np.repeat([7, 8], 3)
    positions = scatter(6)
    open_frames, frames = (
        draw(positions, TREE, RenderConfig(size=size, radius=6.0)),
        draw(positions, TREE, config, seeds),
    )
    side = round(size * CURTAIN)
    assert side == 12 * size // 32
    for frame, whole, (left, top) in zip(frames, open_frames, curtains(seeds, size), strict=True):
        assert 0 <= left <= size - side
        assert 0 <= top <= size - side
        assert not frame[top : top + side, left : left + side].any()
        outside = np.ones((size, size), dtype=bool)
        outside[top : top + side, left : left + side] = False
        np.testing.assert_array_equal(frame[outside], whole[outside])


def test_the_curtain_hangs_still_within_a_scene_and_elsewhere_in_another() -> None:
    corners = curtains(np.repeat(np.arange(200), 2))
    np.testing.assert_array_equal(corners[::2], corners[1::2])
    assert len(np.unique(corners, axis=0)) > 100
    assert set(np.unique(corners)) == set(range(21)), "every place from edge to edge"
    np.testing.assert_array_equal(curtains(np.arange(9), 64), 2 * curtains(np.arange(9), 32))


def test_a_curtain_needs_to_know_the_scene() -> None:
    with pytest.raises(ValueError, match="pass seeds"):
        draw(scatter(2), TREE, RenderConfig(curtain=True))


@pytest.mark.usefixtures("unchecked")
def test_positions_of_another_tree_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[frames, 17, 2\]"):
        draw(np.zeros((2, 13, 2)), TREE)
    with pytest.raises(ValueError, match="3 frames: pass seeds"):
        draw(np.zeros((3, 17, 2)), TREE, RenderConfig(curtain=True), np.array([1, 2]))


def test_frames_depend_neither_on_company_nor_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = scatter(300, SLOT_TREE)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    alone = draw(positions, SLOT_TREE)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    np.testing.assert_array_equal(alone, draw(positions, SLOT_TREE))
    np.testing.assert_array_equal(alone[123:125], draw(positions[123:125], SLOT_TREE))


def test_single_precision_draws_the_same_balls() -> None:
    positions = scatter(20)
    difference = draw(positions, TREE).astype(int) - draw(positions.astype(np.float32), TREE)
    assert np.abs(difference).max() <= 1

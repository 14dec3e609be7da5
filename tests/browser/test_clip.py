"""A video of one's own in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hri.data.video import Cut, read
from tests.browser.driving import settle
from tests.browser.test_changes import click, step_to
from tests.browser.test_explore import pixels
from tests.clips import moving_dot, video


def upload(page: Page, name: str, content: bytes) -> None:
    box = page.locator(".st-key-clip-file input[type=file]")
    box.set_input_files({"name": name, "mimeType": "video/mp4", "buffer": content})


@pytest.mark.slow
def test_a_video_is_uploaded_cut_and_rolled_out(visit: Callable[[str], Page]) -> None:
    page = visit("?model=springs-4-3-par-hri&panel=video")
    upload(page, "five.mp4", video("mp4", moving_dot(5)))
    expect(page.get_by_text("This part has 5 frames; 12 are needed")).to_be_visible()
    upload(page, "words.mp4", b"no video at all")
    expect(page.get_by_text("words.mp4 cannot be opened as a video")).to_be_visible()

    clip = video("mp4", moving_dot(30))
    upload(page, "dot.mp4", clip)
    expect(page.get_by_text("64 × 48 pixels, 10 frames a second, 3.0 s")).to_be_visible()
    expect(page.get_by_text("30 frames as the model will see them")).to_be_visible()
    # The square is dragged on a frame, and pulled at its corner; the sliders say the same numbers.
    square = page.locator(".crop")
    expect(square).to_have_attribute("data-crop", "8 0 56 48")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    assert box is not None
    pixel = box["width"] / 64
    for begin, end, part in (
        ((32, 24), (40, 24), "16 0 64 48"),
        ((64, 48), (48, 32), "16 0 48 32"),
        ((32, 16), (24, 16), "8 0 40 32"),
        ((40, 32), (56, 48), "8 0 56 48"),
    ):
        page.mouse.move(*(at + pixel * share for at, share in zip((box["x"], box["y"]), begin, strict=True)))
        page.mouse.down()
        page.mouse.move(*(at + pixel * share for at, share in zip((box["x"], box["y"]), end, strict=True)), steps=4)
        page.mouse.up()
        expect(square).to_have_attribute("data-crop", part)
        left, _, right, _ = part.split()
        expect(page.get_by_role("slider", name="Columns — start")).to_have_value(left)
        expect(page.get_by_role("slider", name="Columns — end")).to_have_value(right)
    start = page.get_by_role("spinbutton", name="Start")
    start.fill("0.5")
    start.press("Enter")
    expect(page.get_by_text("25 frames as the model will see them")).to_be_visible()
    click(page, "Roll out")
    expect(page.get_by_text("your clip, unlike what it was trained on")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Seed")).to_be_hidden()  # it is no scene of a seed
    expect(page.get_by_text("Unlike what it was trained on: its predictions mean little.")).to_be_visible()
    expect(page.locator(".beside[data-frame] .prediction")).to_be_visible()
    page.get_by_text("Without background", exact=True).click()
    expect(page.get_by_role("button", name="Roll out")).to_be_enabled()
    click(page, "Roll out")

    step_to(page, 10)
    middle = (8, 0, 56, 48)  # the largest square of 64 × 48 pixels
    wanted = read(io.BytesIO(clip), "dot.mp4", 32, 3, Cut(start=0.5, crop=middle, background=True)).frames
    np.testing.assert_array_equal(pixels(page, "truth"), wanted[10])
    page.keyboard.press("End")
    settle(page, 24)

    # It is a scene like others: edits act on it, lines of Python make it again, and the seed is one click away.
    page.get_by_role("radio", name="change", exact=True).click()
    click(page, "Clear")
    expect(page.locator("canvas.ghost")).to_have_count(1)
    page.get_by_role("radio", name="share").click()
    expect(page.get_by_text("Your clip stays with you")).to_be_visible()
    expect(page.locator("[data-testid=stCode] code")).to_contain_text("footage_for(model, clip")
    page.get_by_role("radio", name="video").click()
    click(page, "Back to the seed")
    expect(page.get_by_text("your clip")).to_have_count(0)
    expect(page.get_by_role("spinbutton", name="Seed")).to_be_visible()


@pytest.mark.slow
def test_a_real_video_is_cut_to_the_walker_and_rolled_out(visit: Callable[[str], Page], demo: Path) -> None:
    page = visit("?model=walker-par-hri&panel=video")
    upload(page, "demo.mp4", (demo / "demo.mp4").read_bytes())
    expect(page.get_by_text("1768 × 994 pixels, 30 frames a second, 7.7 s")).to_be_visible(timeout=60_000)
    for name, value in {"Start": "2.75", "Frames": "84"}.items():
        box = page.get_by_role("spinbutton", name=re.compile(f"^{name}( .s.)?$"))
        box.fill(value)
        box.press("Enter")
    for name, share in (("Columns — start", 0.25), ("Columns — end", 0.65), ("Rows — start", 0.45)):
        drag(page, name, share)
    page.get_by_text("Without background", exact=True).click()
    expect(page.get_by_text("84 frames as the model will see them")).to_be_visible(timeout=60_000)
    click(page, "Roll out")
    expect(page.get_by_text(re.compile("your clip, "))).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Like what it was trained on.", exact=True)).to_be_visible()
    page.keyboard.press("End")
    settle(page, 83)
    step_to(page, 20)
    assert pixels(page, "truth").any()
    assert pixels(page, "prediction").any()


def drag(page: Page, name: str, share: float) -> None:
    """Move one end of a slider to a share of its length."""
    thumb = page.get_by_role("slider", name=re.compile(name))
    thumb.scroll_into_view_if_needed()
    start = thumb.bounding_box()
    track = page.get_by_test_id("stSlider").filter(has=thumb).bounding_box()
    assert start is not None
    assert track is not None
    before, y = thumb.input_value(), start["y"] + start["height"] / 2
    page.mouse.move(start["x"], y)  # the input begins at the middle of what is seen of it
    page.mouse.down()
    page.mouse.move(track["x"] + track["width"] * share, y, steps=4)
    page.mouse.up()
    expect(thumb).not_to_have_value(before)
    page.wait_for_timeout(500)  # until the page has answered, it takes no other drag

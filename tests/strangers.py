"""A rollout as a stranger may craft it: its names are scripts, tags, links, formulas and marks of every language."""

from __future__ import annotations

import dataclasses

import numpy as np

from hri.core.records import Rollout
from tests.bodies import body_rollout

NAMES = (
    "<script>window.stranger=1</script>",
    "<img src=x onerror=window.stranger=2>",
    '"><svg onload=window.stranger=3>',
    "</title></script><script>window.stranger=4</script>",
    "<b>bold</b> & <a href='https://example.org'>link</a>",
    "[link](https://example.org) **b** $x^2$ www.example.org me@example.org :material/close: a -> b",
    "{{data}} %{customdata[0]} ${name} {name}",
    "&lt;i&gt;entity&lt;/i&gt; &#60;b&#62;",
    "`code` :red[red] :material/close: ~~gone~~",
    "mixamorig:LeftHand",
    "Bip01 L Foot",
    "=HYPERLINK(1)",
    "左手 — 😀",
    "\\u003cscript\\u003e]]><!--",
    "左 -- right <- left >= 2",
)
"""One a joint of the body of :func:`tests.bodies.body_rollout`; the longest are near what is allowed."""
CHECKPOINT = "<script>window.stranger=5</script>"


def crafted(times: int = 30, free: int = 8) -> Rollout:
    """A rollout that is whole and of which only the words are odd."""
    return dataclasses.replace(body_rollout(times, free), joints=np.array(NAMES), checkpoint=CHECKPOINT)

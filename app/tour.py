"""Short tours of pages, on their real controls: what a step says, where, and what does it (``app/player/tour.js``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.parts import part

_tour = part("tour", sheet="tour.css")

Act = dict[str, Any]
"""One thing that is done for a visitor: ``{"seek": frame}``, ``{"play": True}``, ``{"pause": True}``,
``{"select": what}``, ``{"press": {"within": CSS selector, "words": at the end of the control's}}``, ``{"wait": CSS
selector}`` or ``{"scroll": CSS selector}``."""


LEAD = 5
"""Frames of the burn-in that are played before the free run."""


@dataclass(frozen=True)
class TourStep:
    """What to do, and where."""

    title: str
    text: str
    target: str
    """CSS selector of what a ring surrounds."""
    label: str = ""
    """Of the button that does it."""
    acts: tuple[Act, ...] = ()
    """What that button does, in order; none: no button."""
    done: dict[str, Any] | None = None
    """When it has happened: ``{"after": frame}``, ``{"selected": "edge"}`` or ``{"shown": CSS selector}``."""
    praise: str = "Done."
    """What is said then."""
    result: str = ""
    """What the ring surrounds then, if something else."""
    meanwhile: str = ""
    """What is said while its button is at work, where that takes long."""


def free_run(turn: int, target: str) -> TourStep:
    """The step that begins a tour of predictions: the free run.

    Args:
        turn: the last frame that is predicted from a true one.
        target: CSS selector of what is watched.
    """
    return TourStep(
        "The model goes on alone",
        f"Up to frame {turn - 1} the model sees the truth. After that it lives on its own predictions: watch how long "
        "the prediction still looks like the truth, and the error grow in the timeline.",
        target,
        "Play it",
        ({"seek": max(0, turn - LEAD)}, {"play": True}),
        {"after": turn},
        "This is the free run.",
    )


def tour(name: str, title: str, steps: Sequence[TourStep], player: str = "explore") -> None:
    """The invitation to a tour, or where that was dismissed in this browser a small button.

    Args:
        name: of the tour; what was dismissed is remembered by it.
        title: what it shows, for a tooltip.
        steps: one after the other.
        player: whose clock its steps move.
    """
    count = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}.get(len(steps), str(len(steps)))
    data = {"name": name, "title": title, "invitation": f"New here? {count} steps, one minute.", "player": player}
    _tour(key=f"tour-{name}", data=data | {"steps": [asdict(step) for step in steps]})

"""The course of a training as panels of curves: drawn live by the page, or as Plotly figures that stand still.

NumPy and Plotly; no torch, no streamlit. :func:`panels` is the one place that says which numbers belong together, what
they are called and which line to beat is drawn beside them. ``app/player/curves.js`` draws the same panels in place,
twice a second if it must, without losing the visitor's zoom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from hri.scores import ceilings
from hri.view.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

if TYPE_CHECKING:
    import plotly.graph_objects as go

RUN_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
RUN_DASHES = ("solid", "dash", "dot", "dashdot")
POINTS = 300
"""Most points of a curve: neighbours are averaged beyond that."""

Records = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class ChartCurve:
    """One line of a panel."""

    key: str
    name: str
    x: Float[np.ndarray, " P"]
    y: Float[np.ndarray, " P"]
    colour: str = BLUE
    dash: str = "solid"
    """solid, dash, dot or dashdot: colour never tells alone."""
    baseline: bool = False
    """Whether it is the line to beat."""


@dataclass(frozen=True)
class Panel:
    """Curves that share their axes."""

    key: str
    title: str
    help: str
    curves: list[ChartCurve] = field(default_factory=list)
    log: bool = False
    unit: str = ""
    x: str = "update"
    span: tuple[float, float] | None = None
    """Fixed range of the vertical axis."""

    def to_dict(self) -> dict[str, Any]:
        """JSON: four digits a number, None for what is not finite (or not above 0 on a logarithmic axis)."""

        def plain(values: np.ndarray, positive: bool = False) -> list[float | None]:
            fits = np.isfinite(values) & ((values > 0) | (not positive))
            return [float(f"{value:.4g}") if fit else None for value, fit in zip(values, fits, strict=True)]

        curves = [
            {"key": c.key, "name": c.name, "colour": c.colour, "dash": c.dash, "baseline": c.baseline}
            | {"x": [round(float(x), 2) for x in c.x], "y": plain(c.y, self.log)}
            for c in self.curves
        ]
        head = {"key": self.key, "title": self.title, "help": self.help, "log": self.log, "unit": self.unit}
        return head | {"x": self.x, "span": list(self.span) if self.span else None, "curves": curves}


def panels(records: Records, stage: int, ceiling: dict[str, Any] | None = None) -> list[Panel]:
    """Everything worth watching in one stage, of what its lines hold; panels without a number are left out.

    Args:
        records: lines of a run's metrics.jsonl.
        stage: 1 or 2.
        ceiling: what its edges could be (:mod:`hri.scores.ceilings`), where that is known.
    """
    lines = [record for record in records if record.get("stage") == stage]
    charts = _reconstruction(lines) if stage == 1 else _prediction(lines, ceiling)
    charts = [*charts, _gradient(lines)]
    return [panel for panel in charts if any(len(curve.x) for curve in panel.curves)]


def _loss(lines: Records, metric: str, key: str, title: str, about: str, unit: str = "") -> Panel:
    """A loss in training and validation, and what copying would get."""
    curves = [
        training_curve(lines, metric, "training", SKY),
        validation_curve(lines, metric, "validation", BLUE),
        _baseline(lines, f"copy_{metric}", "copying"),
    ]
    return Panel(key, title, about, curves, log=True, unit=unit)


def _reconstruction(lines: Records) -> list[Panel]:
    return [
        _loss(
            lines, "reconstruction_mse", "reconstruction", "Reconstruction error",
            "Mean squared error of pixels in 0 … 1. Copying: showing the frame before instead. "
            "SlotDec's first updates train single patches.",
        ),
        Panel(
            "slots", "Slot usage",
            "Of the 16 leaf slots: share that hardly changes with the picture, and share that repeats another slot. "
            "Both should be 0.",
            [
                validation_curve(lines, "slots_unused", "unused", BLUE),
                validation_curve(lines, "slots_alike", "alike", VERMILLION, "dash"),
            ],
            span=(0, 1),
        ),
    ]  # fmt: skip


def _findable(lines: Records, ceiling: dict[str, Any] | None) -> list[ChartCurve]:
    """The accuracy that could be reached, and its AUROC, as level lines over the validations."""
    updates = [record["update"] for record in lines if "edge_accuracy" in (record.get("validation") or {})]
    scores = (ceiling or {}).get(ceilings.main_period(ceiling or {}), {}).get("possible")
    if not updates or not scores:
        return []
    return [
        ChartCurve(
            f"findable_{metric}", f"findable, {name}", np.array([updates[0], updates[-1]], float),
            np.array([scores[metric]] * 2, float), colour, "dot", True,
        )
        for metric, name, colour in (("accuracy", "accuracy", BLUE), ("auroc", "AUROC", VERMILLION))
        if scores.get(metric) is not None
    ]  # fmt: skip


def _prediction(lines: Records, ceiling: dict[str, Any] | None) -> list[Panel]:
    types = {int(key.removeprefix("edge_type_")) for record in lines[-1:] for key in record if "edge_type_" in key}
    usage = []
    for kind in sorted(types):
        key, name, dash = f"edge_type_{kind}", _type_name(kind, max(types) + 1), "dash" if kind else "solid"
        usage.append(training_curve(lines, key, name, _type_colour(kind), dash))
    return [
        _loss(
            lines, "nll", "nll", "Prediction loss (NLL)",
            "Negative log-likelihood of slots or states: training with 10 free steps (as set), validation with 5. "
            "Copying: repeating the last true one.",
            unit="nats",
        ),
        _loss(
            lines, "frame_nll", "frames", "Image loss",
            "Negative log-likelihood of decoded frames. Copying: repeating the last true frame.",
            unit="nats",
        ),
        _steps(lines),
        Panel(
            "edges", "Inferred edges against springs",
            "Accuracy: share of pairs whose inferred type stands for the truth. AUROC: chance that a spring ranks "
            "above a pair without one; 0.5 is guessing. Guessing: the best constant answer's accuracy. Findable: what "
            "this relation network reaches when it is taught the springs.",
            [
                validation_curve(lines, "edge_accuracy", "accuracy", BLUE),
                validation_curve(lines, "edge_auroc", "AUROC", VERMILLION, "dash"),
                _baseline(lines, "edge_guess", "guessing"),
                *_findable(lines, ceiling),
            ],
            span=(0, 1),
        ),
        Panel("usage", "Edge types in use", "Share of edges that each type is most probable for.", usage, span=(0, 1)),
        Panel(
            "prior", "Edge prior",
            "The loss's second term: how far the edge types' probabilities are from their prior. Nearer to 0 is surer "
            "for a sparse prior; a uniform one rewards indecision.",
            [training_curve(lines, "edge_prior", "training", PURPLE)],
        ),
    ]  # fmt: skip


def _steps(lines: Records) -> Panel:
    """Error k steps after the last true input: the newest validation, an early one, and copying."""
    records = [record for record in lines if (record.get("validation") or {}).get("mse_by_step")]
    panel = Panel(
        "steps", "Error by step of a free run",
        "Mean squared error of normalised states or slots 1, 2, … 20 steps after the last true input. "
        "Copying: repeating that input.",
        log=True,
        x="steps ahead",
    )  # fmt: skip
    if not records:
        return panel

    def curve(
        record: dict[str, Any], key: str, label: str, colour: str, dash: str, baseline: bool = False
    ) -> ChartCurve:
        values = np.asarray(record["validation"][key], dtype=float)
        return ChartCurve(label, label, np.arange(1.0, len(values) + 1), values, colour, dash, baseline)

    last = records[-1]
    panel.curves.append(curve(last, "mse_by_step", "now", BLUE, "solid"))
    if len(records) > 1:
        first = records[0]
        panel.curves.append(curve(first, "mse_by_step", f"update {first['update']:,}", SKY, "dot"))
    panel.curves.append(curve(last, "copy_mse_by_step", "copying", GREY, "dash", True))
    return panel


def _gradient(lines: Records) -> Panel:
    return Panel(
        "gradient", "Gradient norm",
        "Before clipping. Rare bursts are usual; many mean that the learning rate is too high.",
        [training_curve(lines, "gradient_norm", "training", ORANGE)],
        log=True,
    )  # fmt: skip


def training_curve(lines: Records, key: str, name: str, colour: str = BLUE, dash: str = "solid") -> ChartCurve:
    """A number of every update, averaged over neighbours where there are many."""
    pairs = [(record["update"], record[key]) for record in lines if isinstance(record.get(key), int | float)]
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    return ChartCurve(key, name, *thin(x, y), colour, dash)


def validation_curve(lines: Records, key: str, name: str, colour: str = BLUE, dash: str = "solid") -> ChartCurve:
    """A number of every validation."""
    rows = [(record["update"], (record.get("validation") or {}).get(key)) for record in lines]
    pairs = [(update, value) for update, value in rows if isinstance(value, int | float)]
    x, y = np.array(pairs, dtype=float).reshape(-1, 2).T
    return ChartCurve(f"validation_{key}", name, *thin(x, y), colour, dash)


def _baseline(lines: Records, key: str, name: str) -> ChartCurve:
    """The line to beat, from the first update to the last one."""
    curve = validation_curve(lines, key, name)
    if not len(curve.x):
        return ChartCurve(key, name, curve.x, curve.y, GREY, "dash", True)
    ends = np.array([lines[0]["update"], lines[-1]["update"]], dtype=float)
    x = np.concatenate([ends[:1], curve.x, ends[1:]])
    y = np.concatenate([curve.y[:1], curve.y, curve.y[-1:]])
    return ChartCurve(key, name, x, y, GREY, "dash", True)


def thin(
    x: Float[np.ndarray, " M"], y: Float[np.ndarray, " M"], most: int = POINTS
) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    """At most so many points, each the mean of neighbours; nothing is changed where there are fewer."""
    if len(x) <= most:
        return x, y
    groups = np.linspace(0, len(x), most + 1).astype(int)[:-1]
    counts = np.diff([*groups, len(x)])
    return np.add.reduceat(x, groups) / counts, np.add.reduceat(y, groups) / counts


def _type_name(kind: int, types: int) -> str:
    return "no interaction" if kind == 0 else "interaction" if types <= 2 else f"interaction {kind}"


def _type_colour(kind: int) -> str:
    return (GREY, BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)[kind % 7]


# Standing still ------------------------------------------------------------------------------------------


def figure(panel: Panel) -> go.Figure:
    """One panel as a Plotly figure."""
    import plotly.graph_objects as go

    chart = go.Figure()
    for curve in panel.curves:
        chart.add_scatter(
            x=curve.x,
            y=curve.y,
            name=curve.name,
            mode="lines+markers" if len(curve.x) <= 30 and not curve.baseline else "lines",
            line={"color": curve.colour, "dash": curve.dash, "width": 1.5 if curve.baseline else 2},
            marker={"size": 5},
            hovertemplate="%{y:.4g}",
            meta=curve.key,
        )
    axis: dict[str, Any] = {"tickformat": ",~g", "title": {"text": panel.unit}}
    axis |= {"type": "log", "dtick": 1} if panel.log else {"range": list(panel.span)} if panel.span else {}
    chart.update_layout(
        height=300,
        margin={"l": 56, "r": 8, "t": 8, "b": 36},
        hovermode="x unified",
        uirevision=panel.key,
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        xaxis={"title": {"text": panel.x}, "zeroline": False},
        yaxis=axis,
    )
    return chart


def overlaid(runs: dict[str, Records], stage: int) -> list[Panel]:
    """The validation curves of several runs over each other, a panel a number; the first run's line to beat stays.

    Args:
        runs: the lines of each, by its name.
    """
    by_key: dict[str, Panel] = {}
    for number, (name, records) in enumerate(runs.items()):
        colour = RUN_COLOURS[number % len(RUN_COLOURS)]
        dash = RUN_DASHES[number // len(RUN_COLOURS) % len(RUN_DASHES)] if number >= 6 else RUN_DASHES[number % 4]
        for panel in panels(records, stage):
            main = next((c for c in panel.curves if c.key.startswith("validation_")), None)
            main = main or next((c for c in panel.curves if not c.baseline), None)
            if main is None or panel.key in ("usage", "gradient", "prior"):
                continue
            target = by_key.setdefault(
                panel.key,
                Panel(panel.key, panel.title, panel.help, [], panel.log, panel.unit, panel.x, panel.span),
            )
            target.curves.append(ChartCurve(name, name, main.x, main.y, colour, dash))
            if not any(curve.baseline for curve in target.curves):
                target.curves.extend(curve for curve in panel.curves if curve.baseline)
    return list(by_key.values())

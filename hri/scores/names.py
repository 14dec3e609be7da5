"""How scores are called, read and written, wherever they stand: on pages, in tables, in a terminal.

What each of them measures is told where it is computed (docs/scores.md leads there). No NumPy: a page that shows tables
waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

EDGE_SCORES = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1", "auroc": "AUROC"}
"""Scores of a group of edges, and how each is called within a sentence."""
EDGE_METRICS = ("accuracy", "f1", "auroc")
"""Those that have a ceiling and a guess."""


@dataclass(frozen=True)
class Metric:
    """How a score is called, read and written."""

    label: str
    unit: str
    help: str
    style: str
    """Python's format of a value."""
    short: str = ""
    """Above a narrow column of a terminal; empty: it stands in none."""
    curve: str = ""
    """The score by step that it can be read off where a file does not tell it."""
    step: int = 0
    """At which step, from 1."""

    @property
    def table(self) -> str:
        """Printf's format, for the page's tables."""
        return f"%{self.style}"

    @property
    def of_states(self) -> bool:
        """Whether it is in units of states, so that it says nothing where a model predicts slots."""
        return self.curve == "mse_by_step"

    def text(self, value: float) -> str:
        """A value in its format."""
        return format(value, self.style)


def _nll(label: str, what: str, short: str = "") -> Metric:
    return Metric(label, "nats", f"{what} Lower is better.", ",.0f", short)


def _error(label: str, unit: str, what: str, short: str = "", curve: str = "", step: int = 0) -> Metric:
    return Metric(label, unit, f"Mean squared error {what}. Lower is better.", ".3g", short, curve, step)


def _state_error(step: int, short: str = "") -> Metric:
    unit = "positions and velocities squared, in a box 2 wide"
    what = f"of predicted states, {step} steps after the last true input"
    return _error(f"Error at {step}", unit, what, short, "mse_by_step", step)


def _share(label: str, what: str, short: str = "") -> Metric:
    return Metric(label, "", f"{what} 1 is perfect. Higher is better.", ".3f", short)


def _edge_columns(metric: str, label: str, what: str, short: tuple[str, str, str] = ("", "", "")) -> dict[str, Metric]:
    """A score of edges, between the most that could be found and what guessing scores."""
    most = "What the same relation network reaches when it is taught the truth: about the most to be found."
    least = "What one answer for all pairs scores."
    return {
        f"edges.burn_in.possible.{metric}": _share(label, what, short[0]),
        f"ceiling.burn_in.possible.{metric}": _share(f"{label}: findable", most, short[1]),
        f"guess.{metric}": _share(f"{label}: guessing", least, short[2]),
    }


METRICS: dict[str, Metric] = {
    "nll": _nll(
        "NLL",
        "Negative log-likelihood a node on unseen systems, 5 free steps: how surprised the model is by what happens. "
        "Squared errors of all predicted steps over 2 × 0.00005, so half the NLL is half the squared error.",
        "NLL",
    ),
    "nll_free": _nll(
        "NLL, free steps",
        "The part of the NLL in the last four predictions, beyond the last true state.",
        "of free steps",
    ),
    "nll_leaves": _nll("NLL, leaves", "NLL of the leaf nodes alone."),
    "mse_at_10": _state_error(10),
    "mse_at_20": _state_error(20, "error at 20"),
    "frame_mse": _error(
        "Pixel error", "pixels in 0 … 1, squared", "of predicted pixels over 5 free steps", "pixel error"
    ),
    "reconstruction_mse": _error("Reconstruction", "pixels in 0 … 1, squared", "of reconstructed pixels"),
    "frame_psnr": Metric("PSNR", "dB", "Signal over noise of predicted frames. Higher is better.", ".1f"),
    "frame_ssim": Metric("SSIM", "", "Likeness of predicted frames; 1 is identical. Higher is better.", ".3f"),
    "frame_light_at_10": Metric(
        "Light left",
        "",
        "Light of predicted frames over that of the true ones, 10 steps after the last true frame; 1 is as bright as "
        "the truth, 0 is black.",
        ".2f",
        "light left",
        "frame_light_by_step",
        10,
    ),
    "frame_balls_at_10": Metric(
        "Balls kept",
        "",
        "Of the balls in the true frame 10 steps after the last true input, the share that the predicted frame shows "
        "too: in their colour, within two pixels. 1 is all of them.",
        ".2f",
        "balls kept",
        "frame_balls_by_step",
        10,
    ),
    **_edge_columns(
        "accuracy",
        "Edges right",
        "Of the pairs that a spring can join, those whose inferred type stands for the truth.",
        ("edges right", "findable", "guessing"),
    ),
    **_edge_columns(
        "f1", "F1", "Harmonic mean of two shares: of claimed springs those that are, and of springs those claimed."
    ),
    **_edge_columns(
        "auroc", "AUROC", "The chance that a spring is given a higher probability than a possible pair without one."
    ),
    "paper_score": Metric(
        "Paper's score",
        "",
        "NLL of HRI-GT over NLL of the model, the measure of the paper's figures. Higher is better; 1 is as good as "
        "being told the true springs.",
        ".2f",
        "paper's score",
    ),
}
"""Scores worth a column, in order; files of results hold more."""

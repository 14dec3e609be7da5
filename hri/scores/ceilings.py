"""What relations can come true at all: measured ceilings by what they were measured for, and edge scores in words.

A model is told no springs. How many of them its relation network *could* find is known from training that very network
with them (:mod:`hri.training.ceiling`): its ceiling. Models that see the same data through the same window with the
same network share it, so it is stored once for all of them, beside the results. Pure Python: a page that shows a number
waits for nothing, and whatever else is needed is imported where it is.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hri.core.places import RESULTS
from hri.scores.names import EDGE_METRICS, EDGE_SCORES

if TYPE_CHECKING:
    import numpy as np

    from hri.core.config import Config
    from hri.model.checkpoint import Header

STORED = RESULTS / "ceilings.json"
"""Where measured ceilings lie: a JSON object of records by key, as :func:`hri.training.ceiling.measure` makes them."""
SETTINGS = ("pairs", "graph", "edge_types", "history", "window", "hidden")
"""Those of ``model.relations`` that a ceiling belongs to; the others only say how a model was trained without truth."""
PLAIN = {"graph": "dynamic", "edge_types": 2, "history": 10, "window": "recent", "hidden": 64}
"""Values that a key leaves out."""
NOT_MEASURED = "not measured yet: `python -m hri ceiling --checkpoint NAME --store` measures it"
ENCODER = ("vision.leaves.", "vision.upper.")
"""Weights that make slots of frames."""


def objection(config: Config, parts: str = "all") -> str | None:
    """Why there can be no ceiling, as the end of a sentence; None where there can be one."""
    if reason := config.data.origin.no_truth or config.data.origin.no_ceiling:
        return f"predicts {reason}; choose a model of springs"
    if parts != "all":
        return "holds encoder and decoder only and infers no edges; choose a checkpoint that predicts"
    if config.model.relations.source != "inferred" or config.model.dynamics.passing == "joint":
        return "infers no edges, so nothing of it could be found; choose a model that does, such as hri, hri-h or nri"
    return None


def belongs_to(config: Config, encoder: str | None = None) -> dict[str, Any]:
    """All that a ceiling depends on, as plain JSON types.

    Args:
        config: of the model.
        encoder: :func:`fingerprint` of the weights that make its slots; None for states.
    """
    data: dict[str, Any] = {"tree": config.data.tree, "physics": config.data.physics, "frames": config.data.steps}
    if config.model.sees_frames:
        data["render"] = config.to_dict()["data"]["render"]
    relations = {name: getattr(config.model.relations, name) for name in SETTINGS}
    sight = config.model.seen if config.model.sees_frames else "states"
    # Through JSON, so that what is compared with a file has the file's types.
    return json.loads(json.dumps({"data": data, "seen": sight, "encoder": encoder, "relations": relations}))


def key_of(parts: dict[str, Any]) -> str:
    """A readable name of :func:`belongs_to`, such as ``springs-4-3-04-states-hierarchy``; two may share it."""
    data, relations = parts["data"], parts["relations"]
    odd = [f"{name.replace('_', '-')}-{relations[name]}" for name, usual in PLAIN.items() if relations[name] != usual]
    from hri.core.forces import force  # NumPy comes with it

    source = "" if force(data["physics"]).flat else "springs-"
    encoder = [parts["encoder"][:8]] if parts["encoder"] else []
    return "-".join([f"{source}{data['tree']}", data["physics"], parts["seen"], *encoder, relations["pairs"], *odd])


def fingerprint(weights: dict[str, np.ndarray]) -> str:
    """A number of 16 hexadecimal digits that other encoder weights do not share."""
    import numpy as np

    digest = hashlib.sha256()
    for name in sorted(name for name in weights if name.startswith(ENCODER)):
        digest.update(name.encode() + np.ascontiguousarray(weights[name], dtype=np.float32).tobytes())
    return digest.hexdigest()[:16]


def encoder_of(path: str | os.PathLike[str]) -> str:
    """:func:`fingerprint` of a checkpoint's file, without torch."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        names = [name for name in file.keys() if name.startswith(ENCODER)]  # noqa: SIM118 - the file is no dict
        return fingerprint({name: file.get_tensor(name) for name in names})


def read(path: Path | None = None) -> dict[str, Any]:
    """Every stored record by its key, of :data:`STORED` or another file; none where it is not there.

    Raises:
        ValueError: a damaged file.
    """
    path = path or STORED
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}); measure its ceilings again") from None
    if not isinstance(values, dict) or not all(isinstance(v, dict) and "parts" in v for v in values.values()):
        raise ValueError(f"{path} holds something else than ceilings; measure them again")
    return values


def store(record: dict[str, Any], path: Path | None = None) -> None:
    """Put a record among the others, in place of an earlier one of its key.

    Raises:
        ValueError: a damaged file stands there.
        OSError: the folder cannot be written or the disk is full; the old file is still there.
    """
    from hri.core.files import replacing

    records = read(path) | {record["key"]: record}
    with replacing(path or STORED) as file:
        file.write(f"{json.dumps(dict(sorted(records.items())), indent=1)}\n".encode())


def find(config: Config, encoder: str | None, records: dict[str, Any]) -> dict[str, Any] | None:
    """The record among those of :func:`read` that was measured for exactly this."""
    if objection(config):
        return None
    parts = belongs_to(config, encoder)
    record = records.get(key_of(parts))
    return record if record is not None and record["parts"] == parts else None


def look_up(config: Config, encoder: str | None = None, path: Path | None = None) -> tuple[dict[str, Any] | None, str]:
    """The record measured for exactly this, or None and why there is none.

    Raises:
        ValueError: a damaged file.
    """
    if config.model.sees_frames and encoder is None:
        return None, "not measured: it belongs to an encoder, which is not known here"
    record = find(config, encoder, read(path))
    return record, NOT_MEASURED if record is None else ""


def of_header(
    header: Header, file: str | os.PathLike[str] | None = None, path: Path | None = None
) -> dict[str, Any] | None:
    """A checkpoint's ceiling, where one is known: among its own test scores, or stored for all that share it.

    Args:
        header: of the checkpoint.
        file: where its weights are: an image model's ceiling belongs to them.
        path: of the stored ceilings.
    """
    if objection(header.config, header.parts):
        return None
    if ceiling := (header.metrics.get("test") or {}).get("ceiling"):
        return ceiling
    encoder = encoder_of(file) if file is not None and header.config.model.sees_frames else None
    try:
        record, _ = look_up(header.config, encoder, path)
    except ValueError:  # the Results page says that the file is damaged
        return None
    return record and brief(record)


def brief(record: dict[str, Any]) -> dict[str, Any]:
    """What other files repeat of a record: its scores, and how they were made."""
    names = ("key", "burn_in", "free_run", "whole", "updates", "train_systems", "test_systems")
    return {name: record[name] for name in names if name in record}


def guess(scores: dict[str, Any], metric: str = "accuracy") -> float | None:
    """What one answer for all pairs would score: the share of the more frequent one, or 1/2 for AUROC."""
    if metric == "auroc":
        return 0.5
    share = scores.get("springs")
    if share is None:
        return None
    if metric == "f1":
        return 2 * share / (1 + share)
    return max(share, 1 - share) if metric == "accuracy" else None


def in_words(accuracy: float | None, findable: float | None, guessing: float | None, digits: int = 2) -> str:
    """``found 0.97, findable 1.00, guessing 0.57``: a share of edges beside the most and the least it can mean.

    The one wording of the project. ``findable`` is the ceiling (:mod:`hri.training.ceiling`); what is not known is left
    out.
    """
    values = (("found", accuracy), ("findable", findable), ("guessing", guessing))
    return ", ".join(f"{word} {value:.{digits}f}" for word, value in values if value is not None)


EXPLAINED = (
    "*Found*: what the model says, which was never told what acts on what. *Findable*: what the same relation network "
    "says of the same inputs after training with the truth, so about the most that this model could find. "
    "*Guessing*: one answer for all pairs."
)
"""What :func:`in_words` means, for a tooltip."""


def comparison(
    scores: dict[str, Any],
    ceiling: dict[str, Any] | None,
    group: str,
    metric: str = "accuracy",
    period: str = "burn_in",
    digits: int = 2,
) -> str:
    """:func:`in_words` of one group of edges.

    Args:
        scores: a checkpoint's ``edges`` (:meth:`hri.scores.edges.EdgeTally.scores`).
        ceiling: its ``ceiling``, where known.
        group: "overall", "possible" or a level pair.
        metric: accuracy, f1 or auroc.
        period: "burn_in", "free_run", or "whole" of a static graph.
        digits: of each number.
    """
    group_scores = scores[period].get(group)
    if group_scores is None or group_scores.get(metric) is None:
        return ""
    most = ((ceiling or {}).get(period, {}).get(group) or {}).get(metric)
    return in_words(group_scores[metric], most, guess(group_scores, metric), digits)


def by_level(
    scores: dict[str, Any], ceiling: dict[str, Any] | None, metric: str = "accuracy", period: str = "burn_in"
) -> dict[str, str]:
    """:func:`compared` of every level pair that can be right or wrong, by its name."""
    levels = [name for name in scores[period] if name not in ("overall", "possible", "unrelated")]
    texts = {name: comparison(scores, ceiling, name, metric, period) for name in levels}
    return {name: text for name, text in texts.items() if text and 0 < (scores[period][name]["springs"] or 0) < 1}


def table(record: dict[str, Any]) -> dict[str, Any]:
    """A record in a few words a line, for a terminal."""
    rows: dict[str, Any] = {}
    for period in ("burn_in", "free_run", "whole"):
        rows[period] = {
            group: "; ".join(
                f"{metric_word(metric)}: {in_words(None, scores[metric], guess(scores, metric), 3)}"
                for metric in EDGE_METRICS
                if scores[metric] is not None
            )
            for group, scores in record.get(period, {}).items()
        }
    first, last = (
        {name: point[name] for name in ("updates", "loss")} for point in (record["curve"][0], record["curve"][-1])
    )
    how = {name: record[name] for name in ("updates", "train_systems", "test_systems", "seconds")}
    return rows | {"curve.begins": first, "curve.ends": last} | how


def main_period(scores: dict[str, Any]) -> str:
    """Where edges right are read off: the burn-in, or of a static graph all states (of scores or of a ceiling)."""
    return "whole" if "whole" in scores else "burn_in"


def on_unseen(scores: dict[str, Any], ceiling: dict[str, Any] | None) -> str:
    """Edges right on a checkpoint's test systems, over all pairs and by level, for a line below a graph."""
    period = main_period(scores)
    whole = comparison(scores, ceiling, "possible", period=period)
    levels = {name: text for name, text in by_level(scores, ceiling, period=period).items() if text != whole}
    return "; ".join([*([whole] if whole else []), *(f"{name} {text}" for name, text in levels.items())])


def metric_word(metric: str) -> str:
    """How a metric is called in texts."""
    return EDGE_SCORES[metric]

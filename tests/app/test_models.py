"""The list of models: visitors' own first, then as presets stand; what cannot be read is one row with its sentence."""

from __future__ import annotations

from pathlib import Path

from app.explore import models
from app.library import ModelSource

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"


def source(name: str, **changes: object) -> ModelSource:
    return ModelSource(name, CHECKPOINTS / f"{name.partition('@')[0]}.safetensors", **changes)  # type: ignore[arg-type]


def test_own_models_come_first_and_the_others_as_presets_stand(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nothing")
    listed = models.groups(
        [
            ModelSource("broken", broken),
            ModelSource("only-stored", stored=tmp_path / "only-stored.npz"),
            source("springs5-state-nri-mlp"),
            source("springs-4-3-state-hri"),
            source("springs-4-3-state-hri-h"),
            source("springs-4-3-slot-hri"),
            source("mocap-state-hri", uploaded=True),
            source("charged5-state-nri-mlp@300"),
        ],
        "springs-4-3-state-hri-h",
    )
    assert [group["heading"] for group in listed] == [
        models.OWN,
        models.UPLOADED,
        "Springs, 17 balls (4-3)",
        "5 balls on springs, no hierarchy",
        models.BROKEN,
        models.STORED,
    ]
    rows = {row["name"]: row for group in listed for row in group["rows"]}
    springs = [row["name"] for row in listed[2]["rows"]]
    assert springs == ["springs-4-3-state-hri", "springs-4-3-state-hri-h", "springs-4-3-slot-hri"]
    assert [name for name, row in rows.items() if row["chosen"]] == ["springs-4-3-state-hri-h"]
    assert rows["charged5-state-nri-mlp@300"]["kind"] == "charged5-state-nri-mlp: NRI without memory"
    assert rows["charged5-state-nri-mlp@300"]["lines"][0] == "5 charges, no hierarchy"
    assert rows["mocap-state-hri"]["lines"][0].startswith("motion capture")
    (sentence,) = rows["broken"]["lines"]
    assert "broken" in sentence
    assert "Traceback" not in sentence
    assert rows["only-stored"]["lines"] == []

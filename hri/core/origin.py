"""Where sequences come from, as far as a configuration must know: simulated systems, trajectories of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hri.core.forces import check_tree
from hri.core.hierarchy import Tree
from hri.core.limits import Between

if TYPE_CHECKING:
    from hri.core.config import Config


class Origin:
    """Where sequences come from, as far as a configuration must know. Here: simulated systems."""

    @property
    def no_truth(self) -> str:
        """What models predict and why nobody knows what acts there; empty where it is known, as in a simulation."""
        return ""

    @property
    def no_ceiling(self) -> str:
        """What models predict and why nobody measured how right their edges could be; empty where that can be done."""
        return ""

    @property
    def acts(self) -> str:
        """What acts between nodes (:data:`hri.core.forces.OWN`), where ``data.physics`` does not say it."""
        return ""

    @property
    def frames(self) -> int:
        """T, frames of a sequence."""
        return 49

    @property
    def dimensions(self) -> int:
        """Axes of a node's position."""
        return 2

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the nodes, where they have any."""
        return ()

    def check(self, config: Config) -> None:
        """Refuse an experiment that these sequences cannot be used for.

        Raises:
            ValueError: one sentence.
        """
        check_tree(Tree.parse(config.data.tree), config.data.physics)
        _check_flat(config, config.data.system)


def _check_flat(config: Config, what: str) -> None:
    """Refuse what needs a hierarchy, or frames, where there is none.

    Raises:
        ValueError: one sentence.
    """
    model = config.model
    if Tree.parse(config.data.tree).flat:
        if model.vision is not None:
            raise ValueError(f"{what} is seen as states only; leave model.vision out")
        if model.dynamics.passing == "hierarchical" or model.relations.pairs == "hierarchy":
            raise ValueError(f"{what} has no hierarchy; choose nri, nri-gt, fcmp or lstm for it")


SIMULATED = Origin()


@dataclass(frozen=True)
class OwnConfig(Origin):
    """Trajectories of your own (``trajectories.npz``, see ``data trajectories``) instead of springs. A seed is a window
    of a sequence of its split. What follows the folder is read from it before a training.
    """

    folder: str = "own"
    """Folder that holds trajectories.npz; relative ones start where the program does, or where the project lies."""
    names: tuple[str, ...] = ()
    """Of the nodes; data.tree is how they hang together."""
    dimensions: Literal[2, 3] = 2
    """Axes of a position."""
    frames: Annotated[int, Between(12, 1000)] = 50
    """Frames of a window."""
    centre: tuple[float, ...] = (0.0, 0.0)
    """The place, along each axis and in the data's own units, that is drawn in the middle."""
    scale: Annotated[float, Between(1e-30, 1e30)] = 1.0
    """How many units of the data one box unit (half a frame) is."""
    unit: str = ""
    """Of positions, such as mm; empty where nobody said."""
    speed_unit: str = ""
    """Of velocities."""
    truth: Literal["none", "relations", "signs"] = "none"
    """What is known of a pair: nothing, whether it is related, or the sign with which all pairs act."""

    @property
    def no_truth(self) -> str:
        return "" if self.truth != "none" else "your own trajectories, and nobody recorded what acts on what in them"

    @property
    def no_ceiling(self) -> str:
        return "your own trajectories, for which no ceiling is stored"

    @property
    def acts(self) -> str:
        return "signs" if self.truth == "signs" else "relations"

    @property
    def joints(self) -> tuple[str, ...]:
        return self.names

    def check(self, config: Config) -> None:
        nodes = Tree.parse(config.data.tree).size
        if config.model.vision is not None:
            raise ValueError("your own trajectories are seen as states only; leave model.vision out")
        _check_flat(config, "this data set of your own")
        if config.model.relations.source == "true" and self.truth == "none":
            raise ValueError("nobody recorded what acts on what here; choose model.relations.source inferred or full")
        if self.names and len(self.names) != nodes:
            raise ValueError(f"data.own.names has {len(self.names)} names and data.tree {nodes} nodes")
        if len(self.centre) != self.dimensions:
            raise ValueError(f"data.own.centre has {len(self.centre)} numbers and data.own.dimensions is "
                             f"{self.dimensions}; give one number an axis")  # fmt: skip
        if config.train.free_steps >= self.frames:
            raise ValueError(f"train.free_steps must be less than data.own.frames, {self.frames}")

"""The source of simulated systems: springs in a hierarchy, springs and charges between any two balls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hri.core.hierarchy import Tree
from hri.core.records import Normalisation, Trajectories
from hri.data.source import Source, Split

if TYPE_CHECKING:
    from hri.data.dataset import Sequences


class SpringSystems(Source):
    """Systems that a seed draws and a physics moves (:data:`hri.core.forces.FORCES`)."""

    simulated = True
    ranged = True
    shows = "simulated balls"
    files = "what `simulate` wrote"

    @property
    def units(self) -> tuple[str, str]:
        return "box units", "as simulated"

    @property
    def label(self) -> str:
        return f"simulated {self.data.force.systems}"

    @property
    def name(self) -> str:
        return self.data.system

    @property
    def title(self) -> str:
        balls, force = Tree.parse(self.data.tree).size, self.data.force
        return f"{balls} {force.balls}, no hierarchy" if force.flat else f"springs, {balls} balls ({self.data.tree})"

    @property
    def seeds_mean(self) -> str:
        return f"Every seed is another system of {self.data.force.parts}."

    @property
    def about(self) -> str:
        seeds = self.data.seeds("train")
        count, force = self.data.train, self.data.force
        which = f"(seeds {seeds[0]} to {seeds[-1]})"
        if force.flat:
            balls = Tree.parse(self.data.tree).size
            return f"{count} simulated {force.systems}, {balls} balls without a hierarchy {which}"
        return f"{count} simulated {self.data.tree} {force.systems} {which}"

    def scenes(self, seeds: Sequence[int]) -> Trajectories:
        from hri.physics.springs import simulate

        return simulate(Tree.parse(self.data.tree), self.data.physics, seeds)

    def sequences(self, split: Split, normalisation: Normalisation | None = None) -> Sequences:
        from hri.data.dataset import Springs, single_precision

        trajectories = self.scenes(self.data.seeds(split))
        return Springs(self.data, single_precision(trajectories), normalisation or Normalisation.of(trajectories))

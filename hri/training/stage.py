"""What the loops of training ask of a stage, on a CPU as on a GPU."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int
from torch import Tensor, nn

from hri.core.config import Config
from hri.data.dataset import Sequences
from hri.model.model import Model


class TrainingStage(nn.Module, ABC):
    """One of them. Called with its :meth:`inputs` it gives the loss of an update, and its terms for the record."""

    number: ClassVar[int]
    """1 or 2: of its runs, files and seeds."""
    config: Config
    train_set: Sequences
    validation_set: Sequences
    updates: int
    """That are planned."""
    batch: int
    """Rows of an update."""
    population: int
    """Rows that there are: frames, or sequences."""
    learning_rate: float
    """The highest of its schedule."""

    @abstractmethod
    def __init__(self, config: Config, model: Model, train: Sequences, validation: Sequences):
        super().__init__()
        self.config, self.train_set, self.validation_set = config, train, validation

    @abstractmethod
    def begin(self) -> None:
        """Before the first update."""

    @abstractmethod
    def trained(self) -> list[nn.Parameter]:
        """What it trains; the rest of the model is frozen."""

    @abstractmethod
    def shrink(self, rate: float | Tensor) -> None:
        """After an update."""

    @abstractmethod
    def inputs(self, update: int, rows: Int[np.ndarray, " B"]) -> dict[str, Any]:
        """What an update is computed from, a function of its number and rows alone."""

    @abstractmethod
    def validate(self, model: Model) -> dict[str, Any]:
        """Scores of the validation split."""

    @abstractmethod
    def score(self, validation: dict[str, Any]) -> float:
        """The one of them by which the best checkpoint is chosen; less is better."""

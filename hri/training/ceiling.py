"""The most that a relation network could find: the same network and inputs, trained with the true springs.

HRI is told no springs; it has edges that help to predict. Whether such edges *can* be right is another question, and
this answers it: fresh weights of the model's own relation network (:class:`hri.model.relations.Relations`) learn the
truth of every frame whose window is full, by cross-entropy, and are tested on systems that no training saw. For images
the encoder stays as it is, its slots are computed once, and the truth is that of springs projected onto slots
(:mod:`hri.physics.slot_springs`). The scores are an upper bound in practice, not in principle: longer training, or a
larger network, may find a little more. ``curve`` shows whether it was still rising.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Integer
from torch import Tensor, nn

from hri.core.config import Config, DataConfig
from hri.core.memory import keep_freed_memory
from hri.core.records import Trajectories
from hri.data.dataset import Sequences
from hri.data.sources import sequences
from hri.model.checkpoint import Checkpoint, Header, provenance
from hri.model.model import Model
from hri.model.relations import Relations, evidence
from hri.scores import meanings
from hri.scores.ceilings import belongs_to, fingerprint, key_of, objection
from hri.scores.edges import PERIODS, EdgeTally
from hri.scores.evaluate import full_windows, springs_of, true_edges
from hri.scores.metrics import model_inputs
from hri.training.optimiser import Muon
from hri.training.schedule import CLIP_WINDOW, batch_rows, learning_rate, number

UPDATES = 1250
BATCH, RATE, WARMUP, CLIP = 32, 1e-2, 20, 10.0
"""Sequences an update; the optimiser's settings, those that models of states train with."""
WINDOWS = 5
"""Of a sequence's frames, those that an update looks at: neighbouring windows share nine of ten states, and learning
takes about as many updates with a third of the windows as with all."""
STAGE = 3
"""The number of this training where chance is a function of seed, stage and update: 1 and 2 are the trainer's."""
WATCHED = 100
"""Validation systems of the curve."""
POINTS = 10
"""Of the curve."""
TRAINED_ON = {"states": 5000, "frames": 1000}
"""Most training systems by default: frames of more take long to encode."""
_BLOCK = 20


@dataclass(frozen=True)
class Examples:
    """What the relation network sees of some systems, and the truth."""

    seen: Float[Tensor, "S T N D"]
    truth: Integer[Tensor, "S E"] | Integer[Tensor, "S T E"]
    """1 where a spring joins the nodes of an edge."""

    def __len__(self) -> int:
        return len(self.seen)


class WithTruth(nn.Module):
    """A fresh relation network of a config, and the edges it is asked about."""

    def __init__(self, config: Config, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        relations = config.model.relations
        self.tree, self.static, self.edge_types = config.tree, relations.graph == "static", relations.edge_types
        self.senders, self.receivers = self.tree.edges_among(relations.pairs)
        self.network = Relations(relations, self.tree, config.width)

    def logits(self, seen: Float[Tensor, "B T N D"], times: Int[Tensor, " t"]) -> Float[Tensor, "E t B K"]:
        """Of the edges at these times, from true states alone; as :class:`hri.model.model.Model` infers them.

        Time T, after the last frame, is that of a static graph which all states show.
        """
        states = seen.permute(2, 1, 0, 3)
        known = states.shape[1] + 1
        if not self.static:
            return self.network(self.network.burn_in_windows(states, known, times))
        logits = self.network(self.network.burn_in_windows(states, known))
        return evidence(logits, self.network.history).index_select(1, times)

    def loss(
        self, seen: Float[Tensor, "B T N D"], truth: Integer[Tensor, "B *T E"], times: Int[Tensor, " t"]
    ) -> Float[Tensor, ""]:
        """Cross-entropy of the true types at these times, mean over edges, times and systems."""
        targets = _at(truth, times, seen.shape[1]).permute(2, 1, 0)
        return F.cross_entropy(self.logits(seen, times).flatten(0, -2), targets.flatten().long())

    @torch.no_grad()
    def tally(self, examples: Examples, windows: slice, whole: bool = False) -> EdgeTally:
        """What it says of some systems, beside the truth; type 1 is "spring", as it was told.

        Args:
            examples: of any number of systems.
            windows: frames that count as burn-in (:func:`hri.scores.evaluate.full_windows`); later ones are told apart.
            whole: count the one graph that all states show instead.
        """
        self.eval()
        device = next(self.parameters()).device
        steps = examples.seen.shape[1]
        every = torch.tensor([steps]) if whole else torch.arange(steps)
        counts = EdgeTally(
            self.tree,
            self.senders,
            self.receivers,
            self.edge_types,
            1 if whole else steps,
            slice(0, 1) if whole else windows,
            stand_for=meanings.MEANINGS,
        )
        for start in range(0, len(examples), _BLOCK):
            rows = slice(start, start + _BLOCK)
            logits = self.logits(examples.seen[rows].to(device), every.to(device)).permute(2, 1, 0, 3)
            counts.add(logits, logits.argmax(-1), _at(examples.truth[rows], every, steps).long())
        return counts


def _at(
    truth: Integer[Tensor, "B E"] | Integer[Tensor, "B T E"], times: Int[Tensor, " t"], steps: int
) -> Integer[Tensor, "B t E"]:
    """The truth at these times; after the last frame it is that frame's."""
    return truth[:, None].expand(-1, len(times), -1) if truth.ndim == 2 else truth[:, times.clamp(max=steps - 1)]


def measure(
    source: Checkpoint | Config,
    updates: int = UPDATES,
    train_systems: int | None = None,
    test_data: Trajectories | None = None,
    test_systems: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[str, int, int], object] | None = None,
) -> dict[str, Any]:
    """Train with the truth, test on systems that were not trained on; plain JSON types.

    | key                 | meaning                                                                           |
    |---------------------|-----------------------------------------------------------------------------------|
    | key, parts          | its name, and all it belongs to (:func:`hri.scores.ceilings.belongs_to`)                 |
    | burn_in             | scores by group of edges as :meth:`hri.scores.edges.EdgeTally.scores` gives them,  |
    |                     | at the frames that evaluation calls burn-in                                       |
    | free_run            | the same at later frames, from true states: what perfect predictions would allow  |
    | whole               | of a static graph alone: the same of edges inferred from all T states             |
    | curve               | while training, on validation systems: updates, mean loss since the last point,   |
    |                     | and accuracy and AUROC of each group in the burn-in                               |
    | updates, batch, learning_rate, seed, train_systems, validation_systems, test_systems, seconds | how         |
    | device, versions, commit | of the process                                                               |

    Args:
        source: a checkpoint, or the config of a state model (its training systems then normalise the states).
        updates: of 32 sequences each, with Muon and a cosine.
        train_systems: from the training split; by default all of it, at most as :data:`TRAINED_ON` says.
        test_data: systems to test on; by default the test split.
        test_systems: how many; by default as :func:`hri.scores.evaluate.springs_of`.
        seed: of weights and of the order of systems.
        device: of the relation network.
        progress: hears what is being done, how much of it is, and how much there is.

    Raises:
        ValueError: it infers no edges or knows no truth, or numbers that do not fit; one sentence.
    """
    config = source if isinstance(source, Config) else source.header.config
    name, parts = (source.name, "all") if isinstance(source, Config) else (source.name, source.header.parts)
    _check(config, name, parts, isinstance(source, Config), updates, train_systems)
    started = time.perf_counter()
    report = progress or (lambda what, done, total: None)
    kind = config.model.observation
    many = min(config.data.train, TRAINED_ON[kind]) if train_systems is None else train_systems
    report("preparing", 0, many)
    training = _split(config.data, "train", many, source)
    checkpoint = _fresh(config, training, device) if isinstance(source, Config) else source
    validation = _split(config.data, "validation", min(config.data.validation, WATCHED), checkpoint)
    test_set = springs_of(checkpoint, test_data, test_systems)
    windows = full_windows(config.model.relations.history, training.steps)
    model = checkpoint.model
    lessons = _examples(model, training, lambda done: report("encoding", done, len(training)))
    watched, unseen = (_examples(model, data, lambda done: None) for data in (validation, test_set))

    learner = WithTruth(config, seed).to(device)
    curve: list[dict[str, Any]] = []
    losses: list[float] = []
    for update, loss in enumerate(_train(learner, lessons, updates, windows.start, seed), start=1):
        losses.append(loss)
        report("learning", update, updates)
        if update % max(1, updates // POINTS) == 0 or update == updates:
            by_group = learner.tally(watched, windows).scores()["burn_in"]
            levels = {group: {n: scores[n] for n in ("accuracy", "auroc")} for group, scores in by_group.items()}
            curve.append({"updates": update, "loss": float(np.mean(losses)), **levels})
            losses = []
            learner.train()
    report("testing", 0, len(test_set))
    scores = learner.tally(unseen, full_windows(config.model.relations.history, test_set.steps)).scores()
    encoder = None
    if model.sees_frames:
        encoder = fingerprint({name: value.cpu().numpy() for name, value in model.state_dict().items()})
    belongs = belongs_to(config, encoder)
    return {
        "key": key_of(belongs),
        "parts": belongs,
        "measured_on": name,
        **{period: scores[period] for period in PERIODS[1:]},
        **({"whole": learner.tally(unseen, windows, whole=True).scores()["burn_in"]} if learner.static else {}),
        "curve": curve,
        "updates": updates,
        "batch": BATCH,
        "learning_rate": RATE,
        "seed": seed,
        "train_systems": len(training),
        "validation_systems": len(validation),
        "test_systems": len(test_set),
        "seconds": round(time.perf_counter() - started, 1),
        **provenance(),
    }


def _check(config: Config, name: str, parts: str, untrained: bool, updates: int, train_systems: int | None) -> None:
    """Refuse what has no ceiling before anything is simulated.

    Raises:
        ValueError: one sentence.
    """
    if fault := objection(config, parts):
        raise ValueError(f"{name} {fault}")
    if untrained and config.model.sees_frames:
        raise ValueError(
            f"{name} sees frames, and its slots come from an encoder that must be trained first; "
            "name a checkpoint with --checkpoint"
        )
    if updates < 1:
        raise ValueError(f"{updates} updates teach nothing; choose 1 or more")
    if train_systems is not None and not 1 <= train_systems <= 100_000:
        raise ValueError(f"{train_systems} systems cannot be trained on; choose 1 to 100000")


def _train(learner: WithTruth, lessons: Examples, updates: int, first: int, seed: int) -> Iterator[float]:
    """The loss of each update."""
    keep_freed_memory()
    device = next(learner.parameters()).device
    parameters = list(learner.parameters())
    optimiser = Muon(parameters, lr=RATE)
    norms: list[float] = []
    learner.train()
    for update in range(updates):
        rows = batch_rows(seed, STAGE, update, BATCH, len(lessons))
        generator = torch.Generator().manual_seed(number(seed, STAGE, update))
        # The graph that all states show is a static one's answer; no other is asked for it.
        ends = lessons.seen.shape[1] + int(learner.static)
        times = first + torch.randperm(ends - first, generator=generator)[:WINDOWS].sort().values
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(RATE, update, updates, WARMUP, "cosine")
        loss = learner.loss(lessons.seen[rows].to(device), lessons.truth[rows].to(device), times.to(device))
        optimiser.zero_grad()
        loss.backward()
        limit = CLIP * median(norms) if len(norms) >= 20 else float("inf")
        norms = [*norms, float(torch.nn.utils.clip_grad_norm_(parameters, limit))][-CLIP_WINDOW:]
        optimiser.step()
        yield float(loss.detach())


def _split(data: DataConfig, split: str, systems: int, source: Checkpoint | Config) -> Sequences:
    """The first systems of a split, normalised as the checkpoint's training was."""
    normalisation = None if isinstance(source, Config) else source.header.normalisation
    return sequences(replace(data, **{split: systems}), split, normalisation)  # type: ignore[arg-type]


def _fresh(config: Config, training: Sequences, device: str) -> Checkpoint:
    """An untrained model of states as a checkpoint: only what it sees is asked of it."""
    header = Header(config=config, normalisation=training.normalisation)
    return Checkpoint(name=config.name, model=Model(config).to(device).eval(), header=header)


def _examples(model: Model, data: Sequences, progress: Callable[[int], object]) -> Examples:
    """What the dynamics and relations of a model see of all systems, and the truth between their nodes."""
    seen, truth = [], []
    for start in range(0, len(data), _BLOCK):
        part = data.part(slice(start, start + _BLOCK))
        seen.append(model_inputs(model, part, np.arange(len(part))).cpu())
        truth.append(true_edges(model, part).to(torch.uint8))
        progress(start + len(part))
    return Examples(torch.cat(seen), torch.cat(truth))

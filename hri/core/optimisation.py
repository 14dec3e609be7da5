"""How a model is trained: one part of :class:`hri.core.config.Config`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from hri.core.limits import Between


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation. Stage 1: reconstruction of single frames. Stage 2: prediction."""

    seed: Annotated[int, Between(0, 2**31 - 1)] = 0
    """Seed of weights, data order and noise."""
    updates: Annotated[int, Between(0, 100_000_000)] = 4000
    """Updates of stage 2 (prediction)."""
    batch: Annotated[int, Between(1, 100_000)] = 32
    """Sequences per update in stage 2, over all processes together."""
    optimiser: Literal["muon", "adam"] = "muon"
    """Muon makes the updates of weight matrices orthogonal and learns faster here; Adam is the published choice."""
    learning_rate: Annotated[float, Between(0.0, 10.0)] = 1e-2
    """Peak learning rate of stage 2. Adam wants about a tenth; the published code takes 5e-4."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate over a stage: a short warm-up, then a cosine down to 1 %, or constant."""
    warmup: Annotated[int, Between(0, 100_000_000)] = 20
    """Updates of linear warm-up at the start of each stage."""
    clip: Annotated[float, Between(0.01, 1e12)] = 10.0
    """Largest gradient norm, in medians of the last 100: rare bursts only, tighter clipping slows learning."""
    free_steps: Annotated[int, Between(1, 48)] = 10
    """"n free steps": the last n - 1 inputs of a training sequence are the model's own predictions."""
    free_steps_start: Annotated[int, Between(0, 48)] = 0
    """At the first update; it grows evenly to free_steps at the last. 0: free_steps from the start. Short runs make one
    step right sooner, long ones keep ten steps right."""
    edges_from: Literal["predictions", "truth"] = "predictions"
    """Free steps infer their edges from predictions; "truth" is the published training, which lets the future leak."""
    edge_weight: Annotated[float, Between(0.0, 1e6)] = 1.0
    """Weight of the edge-prior term."""
    no_edge_prior: Annotated[float, Between(0.0, 0.9999)] = 0.0
    """Prior probability of "no interaction"; 0 keeps the uniform prior over K types."""
    prior_warmup: Annotated[int, Between(0, 100_000_000)] = 0
    """Updates over which the weight of the edge-prior term rises from 0 to edge_weight."""
    prior_end: Annotated[float, Between(1e-6, 1.0)] = 1.0
    """Share of edge_weight that is left at the last update; it falls by the same factor at every update. A
    strong prior first makes edges earn their place; weak springs can only do so once it has eased."""
    edge_sample: Literal["soft", "straight"] = "soft"
    """What speaks in training: the soft Gumbel sample of the published code, or its most likely type alone, with the
    gradient of the soft one (straight-through): then messages are as loud as in evaluation."""
    edge_pull: Annotated[float, Between(0.0, 1e9)] = 0.0
    """The most nats by which the error of one sequence may pull the types of one pair at a time; 0: without end. The
    few pairs that nearly collide pull far harder than the many that only pass, which are hardly heard then."""
    average: Annotated[float, Between(0.0, 0.99999)] = 0.0
    """Decay of the running average of weights that is validated and saved; 0: the weights themselves."""
    upper_decay: Annotated[float, Between(0.0, 10.0)] = 0.0
    """By how many learning rates the weights that make upper slots of images shrink at each update. As targets those
    slots are constants, or they would collapse; on some data nothing then keeps them from growing without end."""
    variance: Annotated[float, Between(1e-12, 1e6)] = 5e-5
    """Fixed output variance of both Gaussian likelihoods."""
    frames_decoded: Annotated[int, Between(1, 48)] = 4
    """Frames of each sequence whose image loss is computed in stage 2 (an unbiased sample)."""
    decoded_last: Annotated[int, Between(0, 48)] = 0
    """These frames are drawn from so many last ones, where the model predicts from its own predictions; 0: from all."""
    slot_weight: Annotated[float, Between(0.0, 1e6)] = 1.0
    """Weight of the slots' error beside the error of pixels, in stage 2 of image models."""
    similarity_weight: Annotated[float, Between(0.0, 1e3)] = 0.0
    """How much the shape of drawn frames counts beside their pixels in stage 2: as a mean squared error a pixel of so
    many times 1 - SSIM. Squared errors alone blur what is in doubt and hardly mind a haze over black ground."""
    batch_norm: Literal["batch", "running"] = "batch"
    """Training statistics of batch norm; "running" keeps them fixed (then several processes equal one exactly)."""
    stage1_updates: Annotated[int, Between(0, 100_000_000)] = 20000
    """Updates of stage 1 (0 for state models)."""
    stage1_batch: Annotated[int, Between(1, 100_000)] = 32
    """Single frames per update in stage 1."""
    stage1_learning_rate: Annotated[float, Between(0.0, 10.0)] = 1e-3
    """Peak learning rate of stage 1."""
    patch_share: Annotated[float, Between(0.0, 1.0)] = 0.0
    """SlotDec: share of stage 1 that trains single slots on their own masked patch before training the sum."""
    last_layer_scale: Annotated[float, Between(1e-6, 10.0)] = 0.05
    """The last layers of decoder and dynamics start at this multiple of their published weights: with those the first
    pixels lie around +-6, and the first free runs fly apart."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision; bf16 also helps on CPUs with matrix units."""
    evaluate_every: Annotated[int, Between(1, 100_000_000)] = 500
    """Updates between validations and checkpoints."""
    snapshots: Annotated[int, Between(0, 1000)] = 24
    """Checkpoints of stage 2 kept over the whole training, to look back at how it learned; 0 keeps none."""

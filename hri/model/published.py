"""Import of the authors' ``model_all.pt`` files: their key names, their axis order, their variants."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from hri.core.config import Config, DataConfig, ModelConfig, RelationsConfig, RenderConfig, VisionConfig
from hri.core.decoding import paper_decoder
from hri.core.forces import usual_physics
from hri.core.hierarchy import SLOT_TREE, Tree
from hri.core.presets import CONTROLS, VARIANTS
from hri.core.records import Normalisation
from hri.model.checkpoint import Checkpoint, Header
from hri.model.model import Model
from hri.model.wrapped import read_weights
from hri.physics.springs import simulate

_MLP = {"fc1": "first", "fc2": "second", "bn": "norm"}
_RENAMED = [
    (r"enc_t2r\.mlp_node_embed\.(fc1|fc2|bn)\.", "relations.embed."),
    (r"enc_t2r\.full_mlp_n2e\.(fc1|fc2|bn)\.", "relations.edge."),
    (r"enc_t2r\.full_mlp_e2n\.(fc1|fc2|bn)\.", "relations.node."),
    (r"enc_t2r\.full_mlp_out\.(fc1|fc2|bn)\.", "relations.edge_again."),
    (r"enc_t2r\.fc_out\.", "relations.to_type."),
    (r"dyn_t2t\.rnn\.(weight|bias)_(ih|hh)_l0", "dynamics.lstm."),
    (r"dyn_t2t\.(fc_out_1|fc2_1)\.", "dynamics.out_hidden."),
    (r"dyn_t2t\.(fc_out_2|fc2_2)\.", "dynamics.out."),
    (r"enc_i2t\.fc2\.layer\.", "vision.leaves.to_slot."),
    (r"enc_t2h\.c3\.(conv|nm)\.", "vision.upper.intermediate."),
    (r"enc_t2h\.c4\.(conv|nm)\.", "vision.upper.root."),
    (r"enc_t2h\.fc3\.layer\.", "vision.upper.to_slot."),
    (r"dec_t2i\.in_map\.layer\.", "vision.decoder.spread."),
]
# Saved and never used: batch norm's counters, the baseline's idle batch norm, the second name of one
# shared layer, message networks of the silent type and their names in the later phases.
_IGNORED = re.compile(
    r"num_batches_tracked$|^dyn_t2t\.bn\.|^enc_t2h\.fc4\.|^dyn_t2t\.(ws|a2d)_edge_fc|_edge_fc[12]\.0\.|\.[xy]_grid$"
)
CHOICES = tuple(name for name, (_, dynamics) in VARIANTS.items() if name not in CONTROLS and dynamics.memory == "lstm")
"""The authors published no dynamics without memory."""
# What reading shapes and names raises when a tensor is missing or has another shape.
_MISFITS = (KeyError, IndexError, RuntimeError, TypeError, ZeroDivisionError)


class SeveralVariantsError(ValueError):
    """A file fits several variants, and only whoever has it knows which."""

    def __init__(self, name: str, variants: tuple[str, ...]):
        super().__init__(f"{name} fits several variants; say which with --variant {' or --variant '.join(variants)}")
        self.variants = variants


def import_published(path: str | os.PathLike[str], variant: str | None = None, tree: str = "4-3") -> Checkpoint:
    """Read one of the authors' files; ``window = "published"`` is set (their one-state history).

    Args:
        path: ``model_all.pt``, saved on a CPU or a GPU, however a trainer wrapped it (:mod:`hri.model.wrapped`).
        variant: one of :data:`CHOICES`; needed where keys and shapes fit several.
        tree: the simulated system, which the file does not name.

    Raises:
        SeveralVariantsError: the file does not tell which.
        ValueError: no such file, code in the file, or not this architecture; one sentence.
    """
    path = Path(path)
    tensors = read_weights(path)
    if variant is not None and variant not in CHOICES:
        raise ValueError(f"unknown variant {variant!r}; choose from {', '.join(CHOICES)}")
    try:
        possible = _variants(tensors, tree, path.name)
    except _MISFITS as error:
        raise ValueError(f"{path.name} is damaged or not one of the authors' models ({error} does not fit)") from None
    parts: Literal["all", "vision"] = "all" if possible else "vision"
    possible = possible or [variant or "hri"]
    if variant is None and len(possible) > 1:
        raise SeveralVariantsError(path.name, tuple(possible))
    if variant is not None and variant not in possible:
        raise ValueError(f"{path.name} is not {variant}; its keys and shapes fit {' or '.join(possible)} (tree {tree})")
    family = variant or possible[0]
    try:
        config = _config(tensors, family, tree, path.stem)
        model, renamed = Model(config), _rename(tensors)
    except (*_MISFITS, ValueError) as error:
        raise ValueError(f"{path.name} is not a model of kind {family} in the published layout ({error})") from None
    own = {
        n: v
        for n, v in model.state_dict().items()
        if parts == "all" or n.startswith(("vision.leaves", "vision.decoder"))
    }
    for name, value in own.items():
        if name not in renamed or renamed[name].shape != value.shape:
            raise ValueError(
                f"{path.name} is not a model of kind {family} in the published layout: "
                f"{name} is missing or has another shape"
            )
        if not torch.isfinite(renamed[name]).all():
            raise ValueError(f"{path.name} is damaged: {name} holds numbers that are not finite")
    model.load_state_dict({name: renamed[name] for name in own}, strict=False)
    header = Header(
        config=config,
        parts=parts,
        source="imported",
        data="see the authors' publication",
        normalisation=published_normalisation(config.data),
    )
    return Checkpoint(name=path.stem, model=model.eval(), header=header)


def published_normalisation(data: DataConfig, systems: int = 500) -> Normalisation:
    """Ranges of the first published training systems; the authors' files do not carry theirs."""
    return Normalisation.of(simulate(Tree.parse(data.tree), data.physics, range(42, 42 + systems)))


def _variants(tensors: dict[str, Tensor], tree_text: str, name: str) -> list[str]:
    """Variants that these keys and shapes can be; empty for encoder and decoder alone."""
    dynamics = [key for key in tensors if key.startswith("dyn_t2t.")]
    inferred = "enc_t2r.fc_out.weight" in tensors
    if not dynamics:
        if "enc_i2t.c0.conv.weight" in tensors and "dec_t2i.last_conv.weight" in tensors and not inferred:
            return []
        raise ValueError(
            f"{name} is not one of the authors' models: it has neither a dynamics part nor encoder and decoder"
        )
    if "dyn_t2t.fc2_1.weight" in tensors:
        width = _width(tensors)
        nodes = tensors["dyn_t2t.rnn.weight_ih_l0"].shape[1] // width
        tree = SLOT_TREE if "enc_i2t.c0.conv.weight" in tensors else Tree.parse(tree_text)
        fits = [variant for variant, size in (("lstm", tree.size), ("lstm-lo", len(tree.leaves))) if size == nodes]
        if not fits:
            raise ValueError(
                f"{name} is an LSTM over {nodes} nodes, tree {tree_text} has {tree.size} ({len(tree.leaves)} "
                "leaves); name its tree with --tree"
            )
        return fits
    if "dyn_t2t.full_edge_fc1.1.weight" in tensors:
        return ["nri", "nri-lo"] if inferred else ["nri-gt", "fcmp"]
    if "dyn_t2t.l2a_edge_fc1.1.weight" in tensors:
        return ["hri", "hri-h"] if inferred else ["hri-gt"]
    raise ValueError(f"{name} has a dynamics part of another kind than HRI, NRI or LSTM; it cannot be imported")


def _width(tensors: dict[str, Tensor]) -> int:
    """Numbers a node: of slots for image models, 4 for states."""
    return len(tensors["enc_i2t.fc2.layer.bias"]) if "enc_i2t.fc2.layer.bias" in tensors else 4


def _config(tensors: dict[str, Tensor], variant: str, tree: str, name: str) -> Config:
    relations, dynamics = VARIANTS[variant]
    relations = dataclasses.replace(relations, window="published")
    if "enc_t2r.fc_out.weight" in tensors:
        types, hidden = tensors["enc_t2r.fc_out.weight"].shape
        history = tensors["enc_t2r.mlp_node_embed.fc1.weight"].shape[1] // _width(tensors)
        relations = dataclasses.replace(relations, edge_types=types, hidden=hidden, history=history)
    if "dyn_t2t.rnn.weight_hh_l0" in tensors:
        dynamics = dataclasses.replace(dynamics, hidden=tensors["dyn_t2t.rnn.weight_hh_l0"].shape[1])
    vision, render = None, RenderConfig()
    if "enc_i2t.c0.conv.weight" in tensors:
        last = tensors["dec_t2i.last_conv.weight"]
        render = RenderConfig(grey=last.shape[1] == 1, size=64 if "enc_i2t.c64.conv.weight" in tensors else 32)
        vision = VisionConfig(
            decoder=paper_decoder(draws_slots_alone="dec_t2i.in_map.layer.weight" in tensors),
            slot_width=_width(tensors),
            encoder_channels=len(tensors["enc_i2t.c0.conv.bias"]),
            decoder_channels=last.shape[0],
        )
    data = DataConfig(tree=tree, physics=usual_physics(tree), render=render)
    return Config(
        name=name, data=data, model=ModelConfig(vision=vision, relations=_plain(relations), dynamics=dynamics)
    )


def _plain(relations: RelationsConfig) -> RelationsConfig:
    """Oracles know one kind of spring, whatever the file's unused networks say."""
    return dataclasses.replace(relations, edge_types=2) if relations.source == "true" else relations


def _rename(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our names and axes. The authors' images are C x W x H, so their kernels' spatial axes are swapped."""
    ours: dict[str, Tensor] = {}
    encoder_blocks = [
        key.split(".")[1]
        for key in ("enc_i2t.c64", "enc_i2t.c0", "enc_i2t.c1", "enc_i2t.c2")
        if f"{key}.conv.weight" in tensors
    ]
    upsampling = 1 + max(
        (int(key.split(".")[2]) for key in tensors if key.startswith("dec_t2i.dec_convs.")), default=-1
    )
    for key, value in tensors.items():
        if _IGNORED.search(key):
            continue
        name = _our_name(key, encoder_blocks, upsampling)
        if name is None:
            continue
        if value.ndim == 4:
            value = value.transpose(2, 3)
        if name.startswith("vision.decoder.spread."):
            value = value.unflatten(0, (-1, 2, 2)).transpose(1, 2).flatten(0, 2)
        ours[name] = value.float().contiguous()
    return ours


def _our_name(key: str, encoder_blocks: list[str], upsampling: int) -> str | None:
    tail = key.rsplit(".", 1)[1]
    for pattern, prefix in _RENAMED:
        if hit := re.match(pattern, key):
            if prefix == "dynamics.lstm.":
                return prefix + f"{hit[1]}_{hit[2]}"
            part = hit.groups()[0] if hit.groups() else None
            middle = {**_MLP, "conv": "conv", "nm": "norm"}.get(part or "")
            return prefix + (f"{middle}." if middle else "") + tail
    if hit := re.match(r"dyn_t2t\.(?:l2a|full)_edge_fc([12])\.(\d+)\.", key):
        return f"dynamics.messages.{('first', 'second')[int(hit[1]) - 1]}.{int(hit[2]) - 1}.{tail}"
    if hit := re.match(r"enc_i2t\.(c\w+)\.(conv|nm)\.", key):
        return f"vision.leaves.blocks.{encoder_blocks.index(hit[1])}.{'norm' if hit[2] == 'nm' else 'conv'}.{tail}"
    if hit := re.match(r"dec_t2i\.dec_convs\.(\d+)\.", key):
        return f"vision.decoder.layers.{hit[1]}.{tail}"
    if key.startswith("dec_t2i.last_conv."):
        return f"vision.decoder.layers.{upsampling}.{tail}"
    return None

"""What the words of the pages mean, in a sentence or two: a list in Learn, and shown where a word stands."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "ball": "A point with a position and a velocity. Most systems have 17: a root, four intermediates, twelve leaves.",
    "burn-in": "The first frames, in which the model is shown the truth at every step.",
    "copying": "Predicting that nothing moves: the last known frame again. The mark that any model has to beat.",
    "edge": "An ordered pair of nodes: one sends, the other receives. Two balls have one edge each way.",
    "edge type": "What kind of message an edge carries. Type 0 carries none: “no interaction”.",
    "encoder": "The network that turns a picture into slots.",
    "decoder": "The network that turns slots into a picture: SlotDec draws each slot alone, ParDec all at once.",
    "free run": "After the burn-in the model sees only its own predictions, and errors add up.",
    "Gumbel-softmax": "A way to draw at random that still lets a network learn through the draw.",
    "hidden state": "The memory of a node: a list of numbers that messages and the LSTM change.",
    "HRI": "Hierarchical Relational Inference, the method of this course: messages travel along a tree.",
    "leaf, intermediate, root": "The three levels of the tree: parts, wholes made of parts, and the whole of all. "
    "In the graph: circles, squares, and the diamond.",
    "LSTM": "A network with a memory. Here also a model, for comparison, that knows nothing about relations.",
    "message": "What a sender tells a receiver at one step: a list of numbers, made by a small network.",
    "NRI": "Neural Relational Inference, the older method: messages between all pairs at once, without a tree.",
    "probability": "A number from 0 (never) to 1 (always).",
    "rollout": "A scene together with what a model predicts for it.",
    "slot": "A list of numbers that stands for one part of what the model sees: of a picture there are 16 + 4 + 1. "
    "A model that sees states has one for each ball: where it is and how fast.",
    "spring": "What really joins two balls in the simulation. Only models with GT in their name are told.",
}
"""Words of the pages and the course."""


def explained(*words: str) -> str:
    """What some words mean, each beginning with the word, for a tooltip."""
    return " ".join(f"{word.capitalize()}: {GLOSSARY[word]}" for word in words)

"""The course: what each lesson says, as data. What it shows is computed by :mod:`app.learn.statements` and drawn by the
page.

Sentences here explain; they state nothing about a trained model that a number could refute. Such statements come from
``says()`` of the facts of :mod:`app.learn.statements`, for the model and the scene that are on the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCENE = 200_042
"""The seed that lessons open with: a test system, stored for every model on the page."""
STATE_MODEL = "springs-4-3-state-hri-h"
MINUTES = 5
"""A lesson takes about so long."""


@dataclass(frozen=True)
class Lesson:
    """One idea, one thing to do, one thing to notice."""

    key: str
    """Names the lesson in addresses; a few letters."""
    title: str
    idea: str
    """Markdown, a few sentences."""
    do: str
    notice: str
    section: str
    """Of the paper, where the matter is written."""
    mathematics: tuple[tuple[str, str], ...]
    """(words, LaTeX), shown on demand."""
    code: str
    """Lines that compute what the lesson states, with ``{name!r}`` for values; :meth:`lines` fills them in."""
    question: str
    answer: str

    def lines(self, **values: Any) -> str:
        """Python that runs as it is from the repository's folder; values become literals, so none can be code."""
        return self.code.strip().format(**values) + "\n"


SPRINGS = Lesson(
    key="springs",
    title="What is a system of springs?",
    idea=(
        "Balls fly about in a box. Some pairs are joined by a spring: it pulls its two balls together when they are "
        "far apart and pushes them away when they are too close. Nobody sees the springs. All that can be watched is "
        "how the balls move, and yet the springs decide it."
    ),
    do="Drag a ball and let go. Then click a golden spring to cut it, and watch again.",
    notice="How far are the two balls from each other with their spring, and how far without it?",
    section="4.1",
    mathematics=(
        (
            "The force on ball $i$, on each axis by itself. $k_{ij}$: stiffness of the spring, $L_{ij}$: its length at "
            "rest, $d$: how far $i$ is from $j$ on that axis.",
            r"F_i = -\sum_{j} k_{ij}\,\bigl(d - L_{ij}\,\operatorname{sign} d\bigr), \qquad d = x_i - x_j",
        ),
        (
            "A small step in time $\\Delta t = 0.001$ moves every ball and changes its velocity; $s$ is a constant "
            "speed. A frame is kept every 100 steps.",
            r"x_i \leftarrow x_i + \Delta t\, s\, v_i, \qquad v_i \leftarrow v_i + \Delta t\, F_i",
        ),
    ),
    code="""
from app.learn.statements import apart
from hri.physics.systems import System

system = System.parse({system!r})
print(apart(system, {pair!r}).says())
""",
    question="Two balls are never more than a finger's breadth apart, wherever they fly. What does that suggest?",
    answer=(
        "That a strong spring joins them, directly or through a third ball: without one they would drift apart. It is "
        "evidence, not proof; cutting the spring would be the test."
    ),
)

PARTS = Lesson(
    key="parts",
    title="Why parts and wholes?",
    idea=(
        "A dancing person is hard to describe as a cloud of points and easy as a body with arms and legs. These "
        "systems are built like that: one root ball, four balls around it, and three leaves around each of the four. A "
        "family moves as one, so its middle already says most of where its members are. HRI is given such a tree and "
        "only passes messages along it."
    ),
    do="Group the twelve leaves by chance instead of by family, and watch them move.",
    notice=(
        "The crosses are the middles of the groups. A family stays around its cross; a chance group is spread over the "
        "whole box."
    ),
    section="3",
    mathematics=(
        (
            "How much of the leaves' positions $x_i(t)$ the middles $\\bar x_g(t)$ of their groups explain: 1 when all "
            "members of a group are always in its middle, 0 when the middles say nothing.",
            r"R^2 = 1 - \frac{\sum_{t,i} \lVert x_i(t) - \bar x_{g(i)}(t) \rVert^2}"
            r"{\sum_{t,i} \lVert x_i(t) - \bar x(t) \rVert^2}",
        ),
        (
            "Edges among $N$ things when everything may act on everything, and in a tree where only parents, children "
            "and leaves of one parent may.",
            r"N(N-1) = 17 \cdot 16 = 272 \qquad \text{against} \qquad 2\,(4 + 12 + 12) = 56",
        ),
    ),
    code="""
from hri.core.hierarchy import Tree
from app.learn.statements import grouped
from hri.physics.springs import simulate

tree = Tree.parse("4-3")
print(grouped(simulate(tree, "04", [{seed!r}]), tree).says())
""",
    question="Why does a tree make the work of a network smaller?",
    answer=(
        "Fewer pairs have to be judged (56 instead of 272 in a system of 17 balls), and the middle of a family is a "
        "short summary of its members, so far-away parts need to hear the summary only."
    ),
)

BELIEFS = Lesson(
    key="beliefs",
    title="What does the model know, and when?",
    idea=(
        "At every frame the model looks at the last ten states of all balls and judges each pair: with which "
        "probability do these two act on each other? Nobody ever told it the springs. It only tries to predict well, "
        "and the probabilities are its own invention. So they are not a yes or no, but we can ask: does a pair with a "
        "spring get a higher one than a pair without?"
    ),
    do="Let the frames come in one by one with the slider.",
    notice="All lines begin together. When do leaves with and without a spring part?",
    section="3.2",
    mathematics=(
        (
            "From the ten latest states of each ball, two rounds of node to edge to node give a score for each edge "
            "type $k$; scores become probabilities.",
            r"p_{ij}^{k}(t) = \frac{\exp \ell_{ij}^{k}(t)}{\sum_{m} \exp \ell_{ij}^{m}(t)}",
        ),
        (
            "How often a pair with a spring gets the higher probability when one pair of each kind is drawn (the area "
            "under the ROC curve): 1 is always, 1/2 is guessing.",
            r"\mathrm{AUROC} = \frac{1}{n_1 n_0} \sum_{a\,\in\,\text{spring}} \sum_{b\,\in\,\text{none}} "
            r"\bigl[p_a > p_b\bigr] + \tfrac12 \bigl[p_a = p_b\bigr]",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from app.learn.statements import beliefs
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

model = load({checkpoint!r})
seen = roll_out(model, simulate(Tree.parse("4-3"), "04", [{seed!r}]))
print(beliefs(seen).says({seen!r}))
""",
    question="The model says 0.9 for a pair without a spring. Is it wrong?",
    answer=(
        "Not by its own goal: it was never shown a spring, it only had to predict. A type that is called "
        "“interaction” means that a message is sent, nothing more. What can be tested is whether pairs with springs "
        "stand out from pairs without."
    ),
)

SLOTS = Lesson(
    key="slots",
    title="From pixels to slots",
    idea=(
        "So far the model was told where the balls are. From a picture it must find out. An encoder turns the picture "
        "into 16 leaf slots, one for each cell of a 4 by 4 grid, and those into 4 and 1 upper slots. A slot is a list "
        "of 16 numbers. SlotDec's encoder looks at one cell at a time; ParDec's looks further, so that each of its "
        "slots may know of the whole picture."
    ),
    do="Drag a ball over the border of a cell. Then choose the other encoder.",
    notice="Which cells light up: only those that the ball left and entered, or others too?",
    section="3.1",
    mathematics=(
        (
            "The leaf slots $s_1 \\dots s_{16}$ are made from cells (SlotDec) or from overlapping neighbourhoods "
            "(ParDec) of the picture $I$; each has 16 numbers.",
            r"s_k = \operatorname{ReLU}\bigl(W\, f_k(I) + b\bigr) \in \mathbb{R}^{16}",
        ),
        (
            "How far a slot has moved when $I$ becomes $I'$, as a share of the usual length of a slot.",
            r"\frac{\lVert s_k(I') - s_k(I) \rVert}{\frac{1}{32} \sum_m \bigl(\lVert s_m(I) \rVert + \lVert s_m(I') "
            r"\rVert\bigr)}",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from app.learn.statements_pictures import picture_of, slot_change
from hri.physics.springs import simulate

tree = Tree.parse("4-3")
start = simulate(tree, "04", [{seed!r}]).positions[0, 0]
moved = start.copy()
for ball, place in {places!r}.items():
    moved[ball] = place
pictures = [picture_of(positions, tree, {shown!r}) for positions in (start, moved)]
print(slot_change(load({checkpoint!r}), *pictures).says())
""",
    question="A ball lies across the border of two cells. How many slots know of it?",
    answer=(
        "With an encoder that looks at one cell at a time, two: each sees its part of the ball. So a slot is a place, "
        "not a thing, and one thing may be spread over several slots."
    ),
)

DECODERS = Lesson(
    key="decoders",
    title="Two ways to draw",
    idea=(
        "A decoder turns slots back into a picture. SlotDec draws each slot by itself and adds the 16 pictures up. "
        "ParDec draws all slots at once, so that slots may help each other; nobody can say which slot drew what. To "
        "find out all the same, mute a slot: leave it out, and look what changes."
    ),
    do="Click a cell of the picture to mute its slot, first where a ball is, then where none is.",
    notice="Where does the picture change: in the cell of the slot, or elsewhere as well?",
    section="3.4",
    mathematics=(
        (
            "SlotDec: the picture is a sum of what the slots draw. So the effect of slot $k$ is exactly its own "
            "picture.",
            r"\hat I = \sum_{k=1}^{16} D(s_k), \qquad \Delta_k = D(s_k)",
        ),
        (
            "ParDec: one network draws all. The effect of slot $k$ is the difference when an empty slot "
            "$s_\\varnothing$ "
            "takes its place.",
            r"\hat I = D(s_1, \dots, s_{16}), \qquad \Delta_k = \hat I - D(\dots, s_\varnothing, \dots)",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.rollout.composition import slot_effects
from hri.core.hierarchy import Tree
from app.learn.statements_pictures import muted
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

scene = simulate(Tree.parse("4-3"), "04", [{seed!r}])
effects = {{}}
for name, file in {checkpoints!r}.items():
    model = load(file)
    effects[name] = slot_effects(model, roll_out(model, scene), [{frame!r}])
print(muted(effects, {slot!r}).says())
""",
    question="ParDec often draws a little better. Why would anyone use SlotDec?",
    answer=(
        "Because its slots can be looked at one by one: every slot has a picture of its own, and what it stands for "
        "can be seen, moved or removed. With ParDec only the whole has a meaning."
    ),
)

CHANCE = Lesson(
    key="chance",
    title="Learning through a draw",
    idea=(
        "An edge carries a message or it does not: a yes or no, drawn with the model's probability. But a network "
        "learns by small changes, and a yes or no has none. Gumbel-softmax helps: it draws a weight between 0 and 1 "
        "instead. At a low temperature the weights are nearly yes or no, at a high one everything is mixed."
    ),
    do="Turn the temperature up and down.",
    notice="The winner of each draw stays the same. What changes is how much of the message the winner gets.",
    section="3.2",
    mathematics=(
        (
            "Noise $g_k$ is added to the score of each type, then a softmax at temperature $\\tau$. As $\\tau \\to 0$ "
            "one weight goes to 1.",
            r"z_k = \frac{\exp\bigl((\log p_k + g_k)/\tau\bigr)}{\sum_m \exp\bigl((\log p_m + g_m)/\tau\bigr)}",
        ),
        (
            "The noise: minus the logarithm of a waiting time. With it the largest score is of type $k$ with "
            "probability exactly $p_k$.",
            r"g_k = -\log e_k, \quad e_k \sim \operatorname{Exp}(1), \qquad P\bigl(\arg\max_m (\log p_m + g_m) = "
            r"k\bigr)"
            r" = p_k",
        ),
    ),
    code="""
from app.learn.statements_models import draws

print(draws({probability!r}, {temperature!r}).says())
""",
    question="Why not use a very low temperature from the beginning of the training?",
    answer=(
        "Then a small change of a probability changes almost no draw, and where it does, all at once: the network "
        "gets hardly any hint in which direction to go. These models were trained at a temperature in between, 0.5."
    ),
)

MESSAGES = Lesson(
    key="messages",
    title="Messages up, across, down",
    idea=(
        "Between two frames the nodes talk. Leaves tell their parent, the parents tell the root, siblings tell each "
        "other, then the root tells the parents and these the leaves. What a node hears is added to its memory before "
        "the next phase begins. So within one step the news of a leaf can climb up one branch and down another."
    ),
    do="Choose a leaf and step through the phases.",
    notice="After which phase has the whole system heard of the leaf?",
    section="3.3",
    mathematics=(
        (
            "In every phase a node $i$ adds what it hears from the senders $j$ of that phase to its hidden state "
            "$h_i$; $z_{ij}$ is 0 for an edge that is silent.",
            r"h_i \leftarrow h_i + \sum_{j} z_{ij}\, \tanh W_2 \tanh\bigl(W_1 [h_i, h_j]\bigr)",
        ),
        (
            "After all phases one step of the LSTM on the present state $x_i$, and a change is read off.",
            r"h_i \leftarrow \operatorname{LSTM}(x_i, h_i), \qquad \hat x_i(t+1) = x_i(t) + f(h_i)",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from app.learn.statements_models import heard
from hri.rollout.phases import phases
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

model, tree = load({checkpoint!r}), Tree.parse("4-3")
seen = roll_out(model, simulate(tree, "04", [{seed!r}]))
print(heard(tree, phases(model, seen, {step!r}), seen, {leaf!r}).says({phase!r}))
""",
    question="Without siblings talking, how long is the way from a leaf to a leaf of another family?",
    answer=(
        "Four messages: leaf to parent, parent to root, root to the other parent, other parent to its leaf. All of "
        "them "
        "happen within one step, because each phase hears what the one before has said."
    ),
)

FUTURE = Lesson(
    key="future",
    title="Predicting further",
    idea=(
        "One step ahead is easy: hardly anything moves between two frames. To look further the model must feed on its "
        "own "
        "predictions, and every small error is an input of the next step. So we show it some true frames, then "
        "none, and measure how far the predicted balls are from the true ones."
    ),
    do="Let the model see more or fewer true frames before it is on its own.",
    notice=(
        "Compare with the dashed line: that is the error when nothing is taken to move. How long is the model ahead?"
    ),
    section="4.2",
    mathematics=(
        (
            "While true frames come in, and afterwards: the model's own prediction is its next input.",
            r"\hat x(t+1) = M\bigl(x(t)\bigr) \qquad \text{then} \qquad \hat x(t+1) = M\bigl(\hat x(t)\bigr)",
        ),
        (
            "The error $k$ steps after the last true frame $T$, a mean over the balls $i$.",
            r"e_k = \frac{1}{N} \sum_i \bigl\lVert \hat x_i(T+k) - x_i(T+k) \bigr\rVert",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from app.learn.statements_models import horizon
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

scene = simulate(Tree.parse("4-3"), "04", [{seed!r}])
seen = roll_out(load({checkpoint!r}), scene, free_steps={free!r})
print(horizon(seen).says())
""",
    question="Why compare with a forecast that says “nothing moves”?",
    answer=(
        "Because an error alone says little: a slow scene is easy for everybody. A model has understood something "
        "about motion only as far as it beats the forecast that knows nothing of it."
    ),
)

CUTTING = Lesson(
    key="cutting",
    title="Cause, or only belief?",
    idea=(
        "The model gives every edge a probability. Is an edge that it is sure of also important? To find out, looking "
        "is not enough. We cut the edge, let the model predict the same scene again, and measure how far its "
        "predictions move. What is left unchanged by the cut was not caused by the edge, however sure the model was."
    ),
    do="Choose an edge to cut, one far up and one far down in the chart.",
    notice="Points far to the right are sure edges, points far up have a large effect. Are they the same?",
    section="3.3",
    mathematics=(
        (
            "The effect of an edge: predictions $\\hat x$ with it and predictions $\\hat x^{\\setminus ij}$ when it is "
            "silent from the first step on.",
            r"\text{effect}_{ij} = \sqrt{\operatorname{mean}_{t,n}\, \bigl(\hat x_n(t) - \hat x_n^{\setminus "
            r"ij}(t)\bigr)^2}",
        ),
        (
            "Rank correlation: 1 if a surer edge always has the larger effect, 0 if the one says nothing of the other "
            "($r$: ranks).",
            r"\rho = \frac{\operatorname{cov}(r_p, r_e)}{\sigma_{r_p}\, \sigma_{r_e}}",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from hri.rollout.influence import influence
from app.learn.statements_models import causes
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

model, tree = load({checkpoint!r}), Tree.parse("4-3")
seen = roll_out(model, simulate(tree, "04", [{seed!r}]))
print(causes(seen, influence(model, seen)).says({row!r}, tree))
""",
    question="Every time the barometer falls it rains soon. Does the barometer cause rain, and how would you test it?",
    answer=(
        "Turn its hand by force and watch the sky. An experiment that changes one thing and leaves the rest alone "
        "tells "
        "cause from correlation; cutting an edge is that experiment."
    ),
)

HIERARCHY = Lesson(
    key="hierarchy",
    title="Does the hierarchy help?",
    idea=(
        "Three models see the same scene. LSTM knows nothing of relations: one memory for everything. NRI lets every "
        "ball "
        "talk to every other. HRI lets them talk along the tree only. All were trained on the same systems and equally "
        "long. One scene is an anecdote; below it stands what the scores of many say."
    ),
    do="Let another model predict, and watch its crosses leave the balls.",
    notice=(
        "NRI and HRI differ in more than the tree. The last line below compares HRI with an NRI that adds its messages "
        "as HRI does."
    ),
    section="4.2",
    mathematics=(
        (
            "The score of the tables: half the squared error over the variance $\\sigma^2 = 5 \\cdot 10^{-5}$, summed "
            "over time and features, a mean over balls.",
            r"\mathrm{NLL} = \frac{1}{N} \sum_{i} \sum_{t} \frac{\lVert \hat x_i(t) - x_i(t) \rVert^2}{2 \sigma^2}",
        ),
        (
            "The control: messages $m$ are added to the memory, as in HRI, where the published NRI puts them in its "
            "place.",
            r"h_i \leftarrow h_i + m_i \qquad \text{against} \qquad h_i \leftarrow m_i",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.core.hierarchy import Tree
from app.learn.statements_models import contest
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

scene = simulate(Tree.parse("4-3"), "04", [{seed!r}])
files = {checkpoints!r}
print(contest([roll_out(load(file), scene) for file in files.values()], tuple(files)).says())
""",
    question="Model A beats model B in every scene. Is its idea better?",
    answer=(
        "Not yet: the models may differ in other things as well, such as their size or how messages enter the memory. "
        "Only a comparison in which the idea is the sole difference can tell, over several trainings."
    ),
)

LIMITS = Lesson(
    key="limits",
    title="What the model does not know",
    idea=(
        "A model is best known by its failures. Here are three, made on purpose: something stands in the way, the "
        "system "
        "is of a kind that it has never met, or it is left alone for too long. In each case one number compares it "
        "with a guess that needs no model at all; 100 % is as bad as the guess."
    ),
    do="Look at the three cases one after the other.",
    notice="Is there anything in the predicted pictures themselves that warns you?",
    section="4.3",
    mathematics=(
        (
            "Error as a share of that of a guess $g$ without a model: the last true frame, or an empty picture.",
            r"\frac{\sum_t \lVert \hat I(t) - I(t) \rVert^2}{\sum_t \lVert g(t) - I(t) \rVert^2}",
        ),
    ),
    code="""
from hri.model.checkpoint import load
from hri.rollout.edits import Curtain
from hri.core.hierarchy import Tree
from hri.rollout.interventions import Intervention
from app.learn.statements_models import curtain_failure, long_failure, tree_failure
from hri.rollout.rollout import roll_out
from hri.physics.springs import simulate

model, case, left, top = load({checkpoint!r}), {case!r}, {left!r}, {top!r}
scene = simulate(Tree.parse("4-3"), "04", [{seed!r}])
usual = roll_out(model, scene)
if case == "curtain":
    edits = Intervention((Curtain(left, top),))
    print(curtain_failure(usual, roll_out(model, scene, intervention=edits), left, top).says())
elif case == "another tree":
    tree = Tree.parse("3-3")
    print(tree_failure(usual, roll_out(model, simulate(tree, "05", [{seed!r}]), tree=tree), "3-3").says())
else:
    print(long_failure(usual, roll_out(model, scene, free_steps=40)).says())
""",
    question="A model predicts well on a thousand test systems. What may you not conclude?",
    answer=(
        "That it predicts well on systems of another kind, or further ahead than it was tested. A test speaks for "
        "what it "
        "tested."
    ),
)

LESSONS: tuple[Lesson, ...] = (
    SPRINGS,
    PARTS,
    SLOTS,
    DECODERS,
    BELIEFS,
    CHANCE,
    MESSAGES,
    FUTURE,
    CUTTING,
    HIERARCHY,
    LIMITS,
)
"""In the order of the course."""

GLOSSARY: dict[str, str] = {
    "ball": "A point with a position and a velocity. A system has 17: one root, four intermediates, twelve leaves.",
    "burn-in": "The first frames, in which the model is shown the truth at every step.",
    "copying": "Predicting that nothing moves: the last known frame again. The line any model has to beat.",
    "edge": "An ordered pair of nodes: one sends, the other receives. Each pair of balls has two.",
    "edge type": "What kind of message an edge carries. Type 0 carries none: “no interaction”.",
    "encoder": "The network that turns a picture into slots.",
    "decoder": "The network that turns slots into a picture: SlotDec draws each slot alone, ParDec all at once.",
    "free run": "After the burn-in the model sees only its own predictions, and errors add up.",
    "Gumbel-softmax": "A way to draw at random that still lets a network learn through the draw.",
    "hidden state": "The memory of a node: a list of numbers that messages and the LSTM change.",
    "HRI": "Hierarchical Relational Inference, the method of this course: messages travel along a tree.",
    "leaf, intermediate, root": "The three levels of the tree: parts, wholes made of parts, and the whole of all.",
    "LSTM": "A network with a memory. Here also the model that knows nothing of relations, for comparison.",
    "message": "What a sender tells a receiver at one step: a list of numbers, made by a small network.",
    "NRI": "Neural Relational Inference, the older method: messages between all pairs at once, without a tree.",
    "probability": "A number from 0 (never) to 1 (always).",
    "rollout": "A scene together with what a model predicts for it.",
    "slot": "A list of 16 numbers that stands for one part of the picture. There are 16 + 4 + 1 of them.",
    "spring": "What really joins two balls in the simulation. Models never see it.",
}
"""Words of the course, each in one or two sentences."""


def lesson(key: str) -> Lesson:
    """The lesson of that name.

    Raises:
        ValueError: there is none.
    """
    for found in LESSONS:
        if found.key == key:
            return found
    raise ValueError(f"there is no lesson {key!r}; choose from {', '.join(found.key for found in LESSONS)}")

"""Results: what every model scored, and what is left of the paper's claims when all train alike."""

from __future__ import annotations

from collections import Counter

import streamlit as st

# Before the imports below, so that a visitor reads while they load.
st.markdown(
    "**What is left of the paper's claims when every model trains on the same data, and equally long.** Tables named "
    "*long* hold fewer models, each trained until it hardly got better.  \n"
    ":small[The paper: [Stanić, van Steenkiste, Schmidhuber 2020](https://arxiv.org/abs/2010.03635). HRI sends "
    "messages along a hierarchy, NRI between all pairs, LSTM none; HRI-H infers only the hierarchy's own pairs, -GT is "
    "told the true ones. SlotDec draws each slot alone, ParDec all at once. NLL is an error: less is better.]"
)

from app import address, drawn, figures, places  # noqa: E402
from app.results import tables  # noqa: E402
from hri.experiments import claims, scaling, score_tables, scoreboard  # noqa: E402
from hri.experiments.claims import Claim, ClaimFinding  # noqa: E402
from hri.experiments.scoreboard import Board  # noqa: E402

# Never colour alone, and no red against green.
BADGES = {
    "holds": "blue-badge[:material/check_circle: holds]",
    "does not hold": "orange-badge[:material/cancel: does not hold]",
    "too close to call": "gray-badge[:material/balance: too close to call]",
    "not run yet": "gray-badge[:material/hourglass_empty: not run yet]",
}
CURVES = {
    "state": ("mse_by_step", "positions and velocities in a box 2 wide"),
    "images": ("frame_mse_by_step", "pixels in 0 … 1"),
}


def show_claims(board: Board) -> None:
    """Every claim with its verdicts; the paper's first, then our own questions."""
    by_claim = {claim: claims.findings(claim, board) for claim in claims.CLAIMS}
    count = Counter(finding.verdict for findings in by_claim.values() for finding in findings)
    times = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
    st.markdown(" ".join(f"{count[v]}{times}:{BADGES[v]}" for v in claims.VERDICTS if count[v]), help=claims.RULE)
    for source, title in (("paper", "The paper's claims"), ("ours", "Questions of our own")):
        st.subheader(title, anchor=False)
        of_source = [claim for claim in claims.CLAIMS if claim.source == source]
        for first in range(0, len(of_source), 2):
            for column, claim in zip(st.columns(2), of_source[first : first + 2], strict=False):
                with column.container(border=True, height="stretch"):
                    show_claim(claim, by_claim[claim])


def show_claim(claim: Claim, findings: list[ClaimFinding]) -> None:
    """One sentence, and a verdict with its figures for each setting."""
    st.markdown(f"**{claim.sentence}**", help=claim.about)
    for finding in findings:
        if figures := finding.numbers():
            verdict = f":{BADGES[finding.verdict]} {finding.comparison.where}"
            says = finding.says.replace(" %", "\N{NO-BREAK SPACE}%")
            st.markdown(f"{verdict}: {says}  \n:small[{figures}]", help=finding.details())
    if missing := [finding for finding in findings if not finding.numbers()]:
        st.markdown(f":{BADGES['not run yet']} {'; '.join(finding.comparison.where for finding in missing)}")


@st.fragment
def contest(board: Board) -> None:
    """Curves and tables of one setting."""
    from hri.view import (
        result_charts as figures_results,  # what draws takes longest to load, and the claims stand above it
    )

    settings = {setting.label: setting for setting in board.settings}
    address.check("results", {"setting": address.Words(list(settings)), "log": address.SWITCH})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.pills(
            "What the models see", list(settings), default=next(iter(settings)), required=True, key="setting",
            help="Ball states, or frames through one of two decoders; and the tree of springs.", bind="query-params",
        )  # fmt: skip
        log = st.toggle("Logarithmic", True, key="log", bind="query-params", help="Equal heights are equal factors.")
    setting = settings[label or next(iter(settings))]
    entries, plan = board.of(setting), board.plan(setting)
    curve, unit = CURVES["state" if setting.seen == "state" else "images"]
    st.plotly_chart(
        figures_results.error_over_horizon(entries, curve, log),
        key="horizon",
        config={"displayModeBar": False},
        alt=f"Prediction error of each model by step, {setting.label}",
    )
    figures.save("horizon", "hri-error-over-horizon")
    st.caption(
        f"Error of {unit}, predicted without any true input in between. Bands: one standard deviation over seeds. "
        "Click a name to hide or show it."
    )
    tables.models(entries)
    if score_tables.relations(entries)["model"]:
        with st.expander("Relations by level"):
            tables.relations(entries)
    with st.expander("Every run"):
        tables.runs(plan, setting)
    if plan.unfinished:
        more = f" and {len(plan.unfinished) - 4} more" if len(plan.unfinished) > 4 else ""
        st.caption(f"Not finished yet: {', '.join(plan.unfinished[:4])}{more}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "CSV", score_tables.to_csv(list(board.entries)), "hri-results.csv", "text/csv", on_click="ignore",
            icon=":material/download:", help="Every score of every model: mean, standard deviation, n.",
        )  # fmt: skip
        st.download_button(
            "JSON", plan.path.read_bytes(), f"hri-{plan.name}.json", "application/json", on_click="ignore",
            icon=":material/download:", help="This plan's results file, each run included.",
        )  # fmt: skip
    st.markdown(f"Make these results again ({plan.terms()}):")
    st.code(plan.command, language="bash", wrap_lines=True)


def show_scaling() -> None:
    """What a step costs as the tree grows."""
    st.subheader("What a larger tree costs", anchor=False)
    try:
        result = scaling.read(places.RESULTS)
    except ValueError as error:
        st.warning(str(error))
        return
    if result is None:
        st.info(f"Not measured yet: `{scaling.COMMAND}` measures it in some minutes.")
        return
    from hri.view import result_charts as figures_results

    growths = scaling.growths(result)
    st.markdown(scaling.sentence(growths))
    for column, cost in zip(st.columns(2), figures_results.COSTS, strict=True):
        column.markdown(f"{cost.capitalize()} of a training step")
        column.plotly_chart(
            figures_results.scaling(growths, cost),
            key=f"scaling-{cost}",
            config={"displayModeBar": False},
            alt=f"{cost.capitalize()} of a training step by number of nodes",
        )
        with column:
            figures.save(f"scaling-{cost}", f"hri-scaling-{cost}")
    st.caption(scaling.caption(result))


# The same margins as Explore.
st.html(places.PLAYER / "page.css")
results = tables.with_ceilings(places.board())
for problem in [*results.problems, *places.ceilings_problem()]:
    st.warning(problem)
if results.entries:
    show_claims(results)
else:
    make = scoreboard.MAKE.format("states")
    st.info(f"There are no results yet: `{make}` trains and scores every model and writes them.")
drawn.load_pandas()
if results.entries:
    st.subheader("Error over the horizon", anchor=False)
    contest(results)
    with st.expander("What the models are"):
        st.markdown(scoreboard.MODELS_IN_WORDS)
    with st.expander("How to read NLL"):
        st.markdown(scoreboard.NLL_IN_WORDS)
show_scaling()

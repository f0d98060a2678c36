"""Verdicts -> Panel: what judges say, beside themselves and beside each other."""

from __future__ import annotations

from analysis.judge_noise import measure_judge
from analysis.panel.adjust import adjust_scores, score_frameworks
from analysis.panel.agreement import agreement_on, compare_judges, measure_agreement
from analysis.panel.cost import judging_cost
from analysis.panel.disagreements import list_disagreements
from analysis.panel.families import model_family
from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import Panel, PanelJudge
from analysis.panel.self_preference import measure_self_preference
from analysis.panel.tournament import hold_tournaments
from analysis.panel.variance_budget import take_variance_apart


def examine_panel(verdicts: Verdicts, subject_model: str) -> Panel | None:
    """None where no judge gave a usable score and none compared reports."""
    if verdicts.own.empty and not verdicts.comparisons:
        return None
    adjusted = adjust_scores(verdicts)
    return Panel(
        main=verdicts.main,
        judges=[_judge(verdicts, judge, adjusted.left_out.get(judge)) for judge in verdicts.judges],
        criteria=list(verdicts.criteria),
        agreement=measure_agreement(verdicts),
        agreement_adjusted=agreement_on(adjusted.scores) if not adjusted.scores.empty else None,
        pairs=compare_judges(verdicts),
        adjustment=adjusted.words,
        scores=score_frameworks(verdicts, adjusted),
        self_preference=measure_self_preference(verdicts, subject_model, adjusted.left_out),
        tournaments=hold_tournaments(verdicts),
        budget=take_variance_apart(verdicts, adjusted.left_out),
        disagreements=list_disagreements(verdicts, adjusted),
        not_audited=[judge for judge in verdicts.judges if judge not in verdicts.audited],
        notes=list(verdicts.notes),
    )


def _judge(verdicts: Verdicts, judge: str, left_out: str | None) -> PanelJudge:
    own = verdicts.own_of(judge)
    every = verdicts.table[(verdicts.table["judge"] == judge) & ~verdicts.table["copy"]]
    by_text = own.groupby(["item", "text"])["overall"].mean()
    return PanelJudge(
        judge=judge,
        family=model_family(judge),
        rubrics=sorted({str(rubric) for rubric in every["rubric"] if rubric}),
        verdicts=len(own),
        failed=int((~every["scored"]).sum()),
        texts=len(by_text),
        mean=by_text.mean(),
        std=by_text.std(ddof=1),
        noise=measure_judge(own, verdicts.criteria),
        cost=judging_cost(verdicts, judge),
        audited=judge in verdicts.audited,
        left_out=left_out,
    )

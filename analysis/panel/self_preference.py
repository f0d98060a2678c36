"""Do judges of the subject's own family score it higher than others do?"""

from __future__ import annotations

from collections.abc import Collection

from analysis.panel.estimate import mean_over_items
from analysis.panel.families import model_family
from analysis.panel.read_verdicts import Verdicts
from analysis.panel.result import Estimate, SelfPreference
from analysis.wording import listing


def measure_self_preference(
    verdicts: Verdicts, subject_model: str, left_out: Collection[str] = ()
) -> SelfPreference:
    """Own family's mean less the others' mean, per text that both scored, averaged over texts.

    Judges `left_out` give one score whatever they read: their distance to others says nothing.

    All frameworks share one model here, so a lenient judge and one that prefers its own look alike.
    """
    family = model_family(subject_model)
    judges = [judge for judge in verdicts.judges if judge not in left_out]
    own = [judge for judge in judges if family and model_family(judge) == family]
    others = [judge for judge in judges if judge not in own and model_family(judge)]
    if reason := _refusal(family, own, others):
        return SelfPreference(
            subject_family=family, own=own, others=others, difference=Estimate(reason=reason)
        )
    scores = verdicts.by_text("overall").reindex(columns=[*own, *others])
    apart = (scores[own].mean(axis=1) - scores[others].mean(axis=1)).dropna()
    return SelfPreference(
        subject_family=family,
        own=own,
        others=others,
        texts=len(apart),
        difference=mean_over_items(apart.index.get_level_values("item"), apart.to_numpy(dtype=float))
        if len(apart)
        else Estimate(reason="no text was scored by judges of both kinds"),
    )


def _refusal(family: str | None, own: list[str], others: list[str]) -> str | None:
    if family is None:
        return "the family of the model under test is not known"
    if not own:
        return f"no judge that tells reports apart is of the family of the model under test ({family})"
    if not others:
        return f"no judge of another family than {family} that {listing(own)} could be held against"
    return None

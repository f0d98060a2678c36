"""The mixed models as tables and sentences."""

from __future__ import annotations

from analysis.mixed.result import Effect, MixedModel, VarianceComponent
from analysis.result import Analysis
from analysis.significance_result import Metric
from analysis.tables import Table, digits_for, number, plain_cells, share, titled
from analysis.wording import plural

NAMES: dict[Metric, str] = {"quality": "Quality", "latency_s": "Latency", "tokens": "Tokens"}
UNITS: dict[Metric, str] = {"quality": "points", "latency_s": "seconds", "tokens": "tokens"}
SOURCES = {
    "item": "Item",
    "cell": "What an item makes of a framework",
    "node": "Node",
    "judge": "Judge",
    "residual": "Residual",
}

CLEAN = (
    "Nothing speaks against the model: its residuals look normal and of one spread, and no item decides a "
    "difference."
)


def models_fitted(analysis: Analysis) -> list[MixedModel]:
    return [model for model in analysis.mixed if model.effects]


def refusals(analysis: Analysis) -> list[str]:
    """Why there is no model, a sentence per metric and arm."""
    return [
        f"No mixed model of {_named(model).lower()}: {model.reason}."
        for model in analysis.mixed
        if model.reason is not None
    ]


def effects_table(analysis: Analysis, model: MixedModel) -> Table:
    ratio = model.scale == "log"
    digits = 2 if ratio or model.metric == "quality" else digits_for(e.difference for e in model.effects)
    rows = [
        [titled(e.framework, analysis.frameworks[e.framework]), *plain_cells(_effect(e, digits))]
        for e in sorted(model.effects, key=lambda e: e.difference)
    ]
    against = "the mean of all" if model.against is None else analysis.frameworks[model.against].title
    what = f"ratio to {against}" if ratio else f"difference from {against}, {UNITS[model.metric]}"
    return Table(
        _id("effects", model),
        f"{_named(model)} by mixed model: {what}",
        ("Framework", "Ratio" if ratio else "Difference", "95 % interval"),
        rows,
        _note(model),
    )


def components_table(model: MixedModel) -> Table:
    return Table(
        _id("components", model),
        f"{_named(model)} by mixed model: variance components{_of_what(model)}",
        ("Source", "Levels", "Variance", "Share"),
        [plain_cells(_component(component)) for component in model.components],
    )


def diagnostic_lines(model: MixedModel) -> list[str]:
    return [diagnostic.text for diagnostic in model.diagnostics] or [CLEAN]


def _effect(effect: Effect, digits: int) -> list[str]:
    return [
        number(effect.difference, digits),
        f"{number(effect.low, digits)} to {number(effect.high, digits)}",
    ]


def _component(component: VarianceComponent) -> list[str]:
    variance = component.variance
    digits = 0 if variance >= 100 else 3 if variance >= 0.01 or variance == 0 else 6
    return [
        SOURCES[component.source],
        f"{component.levels:,}",
        number(variance, digits),
        share(component.share),
    ]


def _note(model: MixedModel) -> str:
    words = (
        f"{plural(model.rows, 'mean')} of {plural(model.items, 'item')} and "
        f"{plural(model.frameworks, 'framework')}, REML; intervals by Student's t with "
        f"{number(model.degrees_of_freedom, 0)} degrees of freedom, each on its own."
    )
    return f"{words} {model.scale_words}".strip()


def _of_what(model: MixedModel) -> str:
    return " of the logarithm" if model.scale == "log" else ""


def _named(model: MixedModel) -> str:
    return NAMES[model.metric] + (f" [{model.arm}]" if model.arm else "")


def _id(kind: str, model: MixedModel) -> str:
    return "-".join(part for part in (kind, model.metric, model.arm) if part)

"""All that the first screen's sentences are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.estimates.result import Family, MetricEstimates, PairEstimate
from analysis.noise_floor import exceeds
from analysis.panel.result import Panel
from analysis.result import Alarm, FrameworkResult, Replication, Setup
from analysis.significance_result import Metric, Omnibus, Pair
from analysis.subjects import Role, arms_of
from analysis.wire_result import Difference, DifferenceMetric, NoiseFloor
from analysis.wording import in_unit


@dataclass(frozen=True)
class Findings:
    frameworks: Mapping[str, FrameworkResult]
    items: Sequence[str]
    iterations: int
    omnibus: Mapping[Metric, Omnibus]
    pairs: Sequence[Pair]
    replication: Replication
    alarms: Sequence[Alarm]
    setup: Setup
    floor: NoiseFloor
    differences: Sequence[Difference]
    estimates: Mapping[DifferenceMetric, MetricEstimates]
    panel: Panel | None = None

    @property
    def compared(self) -> list[FrameworkResult]:
        return [f for f in self.frameworks.values() if f.role not in ("dry", "twin") and f.n]

    @property
    def usual(self) -> list[FrameworkResult]:
        """Those compared in the usual arm. Across arms, patterns are compared and not frameworks."""
        arms = arms_of(f.arm or "" for f in self.compared)
        return [f for f in self.compared if (f.arm or "") == arms[0]]

    def family(self, metric: DifferenceMetric) -> Family | None:
        """The comparisons of the usual arm; None where there are none."""
        return next(iter(self.estimates[metric].families), None)

    def told_apart(self, metric: DifferenceMetric) -> list[PairEstimate]:
        """Pairs of the usual arm that the deciding test tells apart, the surest first."""
        family = self.family(metric)
        if family is None:
            return []
        shown = [p for p in self.estimates[metric].pairs if p.arm == family.arm and p.shown]
        ranks = family.decided_by == "wilcoxon"
        return sorted(shown, key=lambda p: (p.p_wilcoxon if ranks else p.p_t) or 0.0)

    def alarm(self, code: str) -> Alarm | None:
        return next((alarm for alarm in self.alarms if alarm.code == code), None)

    def name(self, framework: str) -> str:
        """The title of a framework, whatever the arm."""
        return next((x.name for x in self.frameworks.values() if x.framework == framework), framework)

    def names(self, role: Role) -> list[str]:
        """Titles of the frameworks in that role, each once whatever its arms."""
        return list(dict.fromkeys(x.name for x in self.frameworks.values() if x.role == role))

    def extremes(self, metric: DifferenceMetric) -> tuple[FrameworkResult, FrameworkResult] | None:
        """Lowest and highest mean of those compared in the usual arm."""
        known = [x for x in self.usual if getattr(x, metric) is not None]
        if not known:
            return None
        return min(known, key=lambda x: getattr(x, metric)), max(known, key=lambda x: getattr(x, metric))

    def beside_noise(self, metric: DifferenceMetric, difference: float | None) -> str:
        """A clause on how `difference` compares with the noise floor; empty where there is none."""
        noise = self.floor.metrics.get(metric)
        if noise is None or difference is None:
            return ""
        place = "larger than" if exceeds(difference, noise) else "within"
        return f", {place} the noise floor of {in_unit(metric, noise.mean_absolute)}"

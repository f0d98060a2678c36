"""The guide's tables as rows of text."""

from __future__ import annotations

from analysis.guide.result import Evidence, MetricName, Priority
from analysis.guide.words import cannot_share, how_sure, newest, verdict
from analysis.result import Analysis
from analysis.tables import MISSING, Cell, Table, number, plain_cells, share

NOT_STATED = "not stated"
DATES = {
    "asked": "Dates are those of the first upload to the package index.",
    "not_asked": "No package index was asked when versions were released: `levelfield maturity` does so.",
    "not_reachable": "The package index gave no answer, so when versions were released is not known.",
}


def titles(analysis: Analysis) -> dict[str, str]:
    """Framework -> its title without the arm."""
    return {f.framework: f.name for f in analysis.frameworks.values()}


def priorities_table(analysis: Analysis) -> Table:
    named = titles(analysis)
    rows = [
        [
            Cell(each.title),
            Cell(verdict(each, named), strong=each.choice is not None),
            *plain_cells([how_sure(each), each.says]),
        ]
        for each in analysis.guide.priorities
    ]
    return Table(
        "guide",
        "A choice per priority",
        ("Priority", "Choice", "How sure", "Why"),
        rows,
        text_columns=frozenset({1, 2, 3}),
    )


def meanings_table(analysis: Analysis) -> Table:
    rows = [plain_cells([each.title, each.asks]) for each in analysis.guide.priorities]
    return Table(
        "guide-meanings",
        "What each priority is taken to mean",
        ("Priority", "Taken as"),
        rows,
        text_columns=frozenset({1}),
    )


def evidence_table(analysis: Analysis) -> Table:
    guide, named = analysis.guide, titles(analysis)
    found: dict[MetricName, Evidence] = {}
    for priority in guide.priorities:
        for each in priority.evidence if priority.name != "own_weights" else ():
            found.setdefault(each.metric, each)
    rows = [
        [
            _named(analysis, name, named),
            *plain_cells(number(e.values.get(name), e.digits) for e in found.values()),
        ]
        for name in guide.compared
    ]
    if any(each.floor is not None for each in found.values()):
        floor = [number(each.floor, each.digits) for each in found.values()]
        rows.append([Cell(f"For comparison: {named.get('direct', 'direct')}"), *plain_cells(floor)])
    return Table(
        "guide-evidence",
        "What the choices rest on: means over the items that each is made on",
        ("Framework", *(f"{e.title}, {e.unit}" if e.unit else e.title for e in found.values())),
        rows,
    )


def probability_table(analysis: Analysis) -> Table:
    named = titles(analysis)
    decided = [each for each in analysis.guide.priorities if each.probability_best]
    rows = [
        [
            _named(analysis, name, named),
            *(Cell(share(each.probability_best.get(name)), strong=each.choice == name) for each in decided),
        ]
        for name in analysis.guide.compared
    ]
    return Table(
        "guide-probability",
        "Share of resamples of the items in which each is best",
        ("Framework", *(each.title for each in decided)),
        rows,
        "Ties are shared. A large share alone names nobody: the paired test and the noise floor must agree.",
    )


def weights_table(analysis: Analysis) -> Table | None:
    """With the weights as they stand at first; the page's script fills it anew."""
    weighing, own = analysis.guide.weighing, own_weights(analysis)
    if weighing is None or own is None:
        return None
    named = titles(analysis)
    rows = [
        [
            _named(analysis, name, named),
            *plain_cells([share(own.probability_best.get(name)), "no" if name in own.candidates else "yes"]),
        ]
        for name in weighing.frameworks
    ]
    return Table(
        "guide-weights",
        "By your weights",
        ("Framework", "Best in so many resamples", "Shown to be worse"),
        rows,
        f"On {len(weighing.items)} items. Less is better of all but quality, and ratios are what counts: "
        "twice the tokens weigh as much as twice the seconds. Metrics that are not known of every framework "
        "have no slider.",
    )


def own_weights(analysis: Analysis) -> Priority | None:
    return next((each for each in analysis.guide.priorities if each.name == "own_weights"), None)


def releases_table(analysis: Analysis) -> Table | None:
    facts, named = analysis.guide.maturity, titles(analysis)
    if not facts.frameworks or facts.gathered_at is None:
        return None
    rows = []
    for name, found in facts.frameworks.items():
        first, known = found.distributions[0], found.distributions[0].releases
        texts = [
            ", ".join(f"{each.name} {each.version}" for each in found.distributions),
            first.status or NOT_STATED,
            first.licence or NOT_STATED,
            (known.released_at if known else None) or MISSING,
            newest(known) or MISSING,
            number(known.in_12_months if known else None, 0),
        ]
        rows.append([_named(analysis, name, named), *plain_cells(texts)])
    return Table(
        "guide-releases",
        f"Releases, by package metadata of {facts.gathered_at[:10]}",
        ("Framework", "Version", "Status", "Licence", "Released", "Newest", "Releases in 12 months"),
        rows,
        DATES[facts.index or "not_asked"],
        frozenset({1, 2, 3, 5}),
    )


def packages_table(analysis: Analysis) -> Table | None:
    facts, named = analysis.guide.maturity, titles(analysis)
    if not facts.frameworks or facts.gathered_at is None:
        return None
    imports = {f.framework: f.import_s for f in analysis.frameworks.values() if f.arm == analysis.guide.arm}
    rows = [
        [
            _named(analysis, name, named),
            *plain_cells(
                [
                    number(found.dependencies, 0),
                    number(found.installed_bytes / 1e6, 0, unit=" MB"),
                    number(imports.get(name), 1, unit=" s"),
                    ", ".join(found.openai_requirements.values()) or "nothing",
                    cannot_share(found.conflicts, named) or "none found",
                ]
            ),
        ]
        for name, found in facts.frameworks.items()
    ]
    return Table(
        "guide-packages",
        f"What each brings along, by package metadata of {facts.gathered_at[:10]}",
        (
            "Framework",
            "Packages",
            "Installed",
            "Import",
            "Needs of openai",
            "Cannot share an environment with",
        ),
        rows,
        "Packages: others that it needs. Installed: files of all these wheels. Import: mean of the runs. "
        "Cannot share: what both require of one package excludes each other.",
        frozenset({4, 5}),
    )


def _named(analysis: Analysis, name: str, named: dict[str, str]) -> Cell:
    mine = [
        (f.arm == analysis.guide.arm, subject)
        for subject, f in analysis.frameworks.items()
        if f.framework == name
    ]
    return Cell(named.get(name, name), swatch=max(mine)[1] if mine else None)

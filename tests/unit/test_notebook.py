"""docs/notebook/records.ipynb: every cell runs, in order, on an exported experiment, and says what the report says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from cluster.export.command import export_command
from tests.unit.measured_experiment import analyse_store, stored_experiment

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook" / "records.ipynb"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return found


def test_its_cells_run_on_an_exported_experiment(
    cells: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder comes from the environment; the means are the report's, the paired test is scipy's."""
    store = stored_experiment(tmp_path / "experiment")
    export_command(store.folder, "parquet", None, Console(quiet=True), bodies=False, overwrite=False)
    monkeypatch.setenv("LEVELFIELD_EXPERIMENT", str(store.folder))
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), str(NOTEBOOK), "exec"), names)  # noqa: S102 - our own notebook
    analysis = analyse_store(store)
    for (framework, arm), row in names["means"].iterrows():
        found = analysis.frameworks[f"{framework} [{arm}]"]
        expected = (found.n, found.quality, found.latency_s, found.framework_s, found.tokens)
        assert tuple(row[["runs", "quality", "latency_s", "framework_s", "tokens"]]) == pytest.approx(
            expected
        )
    assert len(names["figure"].data) == 2
    paired, by_item = names["paired"], names["by_item"]
    assert len(paired) == 6
    for _, row in paired.iterrows():
        assert row["p"] == stats.wilcoxon(by_item[row["a"]] - by_item[row["b"]]).pvalue
    expected_p = stats_holm(paired["p"])
    assert paired["p, Holm"].tolist() == pytest.approx(expected_p)


def test_it_is_kept_without_outputs(cells: list[dict[str, Any]]) -> None:
    """Nobody's results and no counter are in the repository, and every code cell compiles."""
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            compile("".join(cell["source"]), "cell", "exec")


def stats_holm(p: pd.Series) -> list[float]:
    """Statsmodels' correction."""
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(p, method="holm")[1]]

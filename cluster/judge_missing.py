"""Have the judges of the panel, one after the other, judge what each has not judged yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ray

from cluster.compare_jobs import uncompared
from cluster.dispatch import dispatch
from cluster.experiment import Experiment
from cluster.judge_jobs import unjudged
from cluster.judge_servers import judge_options, needs_no_node
from cluster.judging import Job, Judging
from cluster.node_actors import POLL_S
from cluster.nodes import Nodes, serving_nodes
from cluster.schedule import Schedule
from cluster.servers import open_server
from cluster.workspace import Workspace
from shared.errors import NodeFailed, UserError
from shared.store import Store


def owed(store: Store, experiment: Experiment, judge: str) -> list[Job]:
    """What this judge has still to answer: reports first, then pairs of them."""
    return [*unjudged(store, experiment, judge), *uncompared(store, experiment, judge)]


def owed_by_all(store: Store, experiment: Experiment) -> int:
    return sum(len(owed(store, experiment, judge)) for judge in experiment.settings.panel)


def judge_missing(work: Workspace, judges: Iterable[str] | None = None) -> None:
    """Each of `judges` (None: the panel) where it is; one that is not there costs only its own verdicts."""
    for judge in work.settings.panel if judges is None else judges:
        jobs = owed(work.store, work.experiment, judge)
        if not jobs or work.interrupts.stopping:
            continue
        try:
            judge_all(work, judge, jobs)
        except (UserError, NodeFailed) as error:
            work.progress.warn(f"{judge} has not judged: {error}")


def judge_on(work: Workspace, nodes: Nodes, judge: str, jobs: Sequence[Job]) -> None:
    """On nodes that serve the judge and have nothing else to do."""
    if jobs and not work.interrupts.stopping:
        dispatch(work, nodes, Schedule(()), judging=Judging(work, jobs, judge))


def judge_all(work: Workspace, judge: str, jobs: Sequence[Job]) -> None:
    """On nodes started for it, or at its service. Raises UserError or NodeFailed when it cannot be asked."""
    options = judge_options(work.settings, judge, work.store.logs)
    if not needs_no_node(work.settings, judge):
        with serving_nodes(judge, options, work.progress, work.settings.gpus_per_node) as nodes:
            judge_on(work, nodes, judge, jobs)
        return
    server = open_server(judge, options)
    server.start()
    judging = Judging(work, jobs, judge)
    work.progress.stage("Judging", total=len(jobs))
    while True:
        if not work.interrupts.stopping:
            judging.use_service(server.base_url, server.served_model, server.api_key)
        if not judging.refs:
            return
        work.progress.doing(f"{len(judging.refs)} with {judge}")
        ready, _ = ray.wait(judging.refs, timeout=POLL_S)
        for ref in ready:
            judging.collect(ref)

"""How far the jobs of a cluster are, asked of it from anywhere that reaches its dashboard."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from shared.errors import ServerUnavailable
from shared.foreign_text import harmless

OURS = "-m cluster"
"""In the command of a job of ours."""
LAST_LINES = 3
"""Of a job's log: its progress is written to it."""


def is_address(where: str) -> bool:
    return where.startswith(("http://", "https://"))


def read_jobs(address: str) -> list[dict[str, Any]]:
    """Our jobs on the cluster whose dashboard is at `address`, the newest last, with the end of each log.

    Raises:
        ServerUnavailable: No dashboard answers there, or it refuses the token.
    """
    from ray.job_submission import JobSubmissionClient  # noqa: PLC0415 - a folder's status needs no Ray

    try:
        client = JobSubmissionClient(address)
        jobs = sorted(client.list_jobs(), key=lambda job: job.start_time or 0)
        return [
            {
                "job": job.submission_id,
                "status": str(job.status),
                "command": harmless(job.entrypoint),
                "log": _end(client.get_job_logs(job.submission_id)),
            }
            for job in jobs
            if job.submission_id and OURS in job.entrypoint
        ]
    except (RuntimeError, ConnectionError, OSError) as error:
        raise ServerUnavailable(
            f"No Ray dashboard answers at {address}: {error} Is the tunnel open, and the cluster's token in "
            "RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token?"
        ) from None


def jobs_table(jobs: list[dict[str, Any]]) -> Table:
    table = Table("Job", "Status", "Last said", box=None, pad_edge=False)
    for job in jobs:
        table.add_row(job["job"], job["status"], Text("\n".join(job["log"])))
    return table


def _end(log: str) -> list[str]:
    return [harmless(line) for line in log.splitlines() if line.strip()][-LAST_LINES:]

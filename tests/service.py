"""The local DLI as a test looks at it: what it was asked to run, and what became of it."""

from typing import Any

import requests

from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import Job, JobTable, Selection


class Service:
    """A running local DLI."""

    def __init__(self, dli: LocalDli) -> None:
        self.dli = dli
        account = dli.credentials
        self._http = requests.Session()
        self._http.headers["X-Auth-Token"] = account.token
        self._batches = f"{account.endpoint}/v2.0/{account.project_id}/batches"
        self.environment = {
            "DLI_ENDPOINT": account.endpoint,
            "DLI_REGION": account.region,
            "DLI_PROJECT_ID": account.project_id,
            "OS_ACCESS_KEY": account.access_key,
            "OS_SECRET_KEY": account.secret_key,
            "DLI_POLL_INTERVAL": "0.2s",
            "DLI_LOOKUP_WINDOW": "1s",
            "DLI_MAX_RETRIES": "0",
        }

    def jobs(self) -> list[dict[str, Any]]:
        """Every job that was accepted, the oldest first."""
        reply = self._http.get(self._batches, params={"order": "CREATE_TIME_ASC"}, timeout=10)
        reply.raise_for_status()
        sessions: list[dict[str, Any]] = reply.json()["sessions"]
        return sessions

    def accepted(self, part: str) -> list[Job]:
        """The jobs with this in their names as the service keeps them, the oldest first; no fault strikes here."""
        table = JobTable(self.dli.data / "jobs.sqlite")
        try:
            return table.select(Selection(name_part=part, order="CREATE_TIME_ASC", size=10_000), now=0)[1]
        finally:
            table.close()

    def job(self, job_id: str) -> dict[str, Any]:
        """One job."""
        return next(job for job in self.jobs() if job["id"] == job_id)

    def states(self) -> list[str]:
        """The states of all jobs, the oldest first."""
        return [job["state"] for job in self.jobs()]

    def submit(self, request: str) -> None:
        """Submit a job, as another client does."""
        self._http.post(self._batches, data=request, timeout=10).raise_for_status()

    def cancel(self, job_id: str) -> None:
        """Cancel a job, as somebody in the console does."""
        self._http.delete(f"{self._batches}/{job_id}", timeout=10).raise_for_status()

    def calls(self) -> dict[str, int]:
        """How often each route was called by others."""
        return {route: count for route, count in self.dli.calls.as_dict().items() if count}

    def forget_calls(self) -> None:
        """Count from nothing."""
        self.dli.calls.reset()

"""The Celery task: thin, a call of a function that can be called without Celery."""

from uuid import UUID

from celery import Celery

from workers import runner
from workers.app import RUN_JOB
from workers.resources import Resources


def register(app: Celery, resources: Resources) -> None:
    """Add the task to an application, with the open things that it uses."""

    @app.task(name=RUN_JOB)  # type: ignore[untyped-decorator]  # Celery ships no types
    def run_job(job_id: str) -> None:
        """Run a job of the outbox. Twice is harmless: only one gets the lease, and a settled job is left alone."""
        runner.run(resources, UUID(job_id))

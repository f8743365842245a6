"""The Celery tasks: thin, each one call of a function that can be called without Celery."""

from uuid import UUID

from celery import Celery

from workers import dispatch, runner
from workers.app import CLEAN, RUN_JOB, SWEEP
from workers.resources import Resources


def register(app: Celery, resources: Resources) -> None:
    """Add the tasks to an application, with the open things that they use."""

    @app.task(name=RUN_JOB)  # type: ignore[untyped-decorator]  # Celery ships no types
    def run_job(job_id: str) -> None:
        """Run a job of the outbox. Twice is harmless: only one gets the lease, and a settled job is left alone."""
        runner.run(resources, UUID(job_id))

    @app.task(name=SWEEP)  # type: ignore[untyped-decorator]  # Celery ships no types
    def sweep() -> None:
        """Send what is due and what nobody runs."""
        dispatch.sweep(resources, app)

    @app.task(name=CLEAN)  # type: ignore[untyped-decorator]  # Celery ships no types
    def clean() -> None:
        """Remove left-over media and old rows."""
        dispatch.clean(resources)

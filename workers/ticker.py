"""What has to happen every so often whatever happens else: the sweep for due jobs, and the cleaning.

A loop of our own, not Celery's beat: that keeps a schedule file, counts from when it last ran, and sends its ticks
through the broker, so that a broker that was wiped would silence the very thing that mends it. Here a tick asks the
database. Several tickers at once do no harm: a job that is sent twice is leased once.
"""

import logging
import threading
from typing import Final

from celery import Celery

from workers import dispatch
from workers.resources import Resources

logger = logging.getLogger(__name__)

_CLEAN_TURNS: Final = 240  # a cleaning every so many sweeps: hourly at the default of 15 s


def run(resources: Resources, app: Celery, ended: threading.Event) -> None:
    """Sweep at once and then every `sweep_seconds`, clean now and then, until told to end."""
    turn = 0
    while not ended.is_set():
        try:
            dispatch.sweep(resources, app)
            if turn % _CLEAN_TURNS == 0:
                dispatch.clean(resources)
        except Exception:  # broad: a ticker that dies would be noticed by nobody, and there is always a next turn
            logger.exception("the sweep failed; the next one tries again")
        turn += 1
        ended.wait(resources.settings.sweep_seconds)

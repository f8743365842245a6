"""The tables: one file a noun. Importing this package makes `Base.metadata` complete."""

from optout.store.models.accounts import Account, ApiKey, Role
from optout.store.models.base import Base
from optout.store.models.changes import Change, ChangeHead, ChangeKind
from optout.store.models.claims import LIVE, Claim, ClaimState
from optout.store.models.collections import Collection, CollectionKind, CollectionWork
from optout.store.models.encryption import MasterKeyHead, SubjectKey
from optout.store.models.grants import Grant
from optout.store.models.idempotency import IdempotencyKey
from optout.store.models.jobs import Job, JobKind, JobState
from optout.store.models.listings import Listing, ListingKind, ListingState
from optout.store.models.log import LogEntry, LogHead
from optout.store.models.non_matches import NonMatch, NonMatchPeriod, NonMatchState
from optout.store.models.paces import Pace
from optout.store.models.sessions import SignInLink, WebSession
from optout.store.models.workers import Heartbeat, Tally
from optout.store.models.works import Work, WorkFingerprint, WorkState

__all__ = [
    "LIVE",
    "Account",
    "ApiKey",
    "Base",
    "Change",
    "ChangeHead",
    "ChangeKind",
    "Claim",
    "ClaimState",
    "Collection",
    "CollectionKind",
    "CollectionWork",
    "Grant",
    "Heartbeat",
    "IdempotencyKey",
    "Job",
    "JobKind",
    "JobState",
    "Listing",
    "ListingKind",
    "ListingState",
    "LogEntry",
    "LogHead",
    "MasterKeyHead",
    "NonMatch",
    "NonMatchPeriod",
    "NonMatchState",
    "Pace",
    "Role",
    "SignInLink",
    "SubjectKey",
    "Tally",
    "WebSession",
    "Work",
    "WorkFingerprint",
    "WorkState",
]

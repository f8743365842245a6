"""Every setting of a registry, each with its default, read from MEDIAMANAGER_… environment variables."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from optout.errors import InvalidInputError


def _database_url(known: dict[str, object]) -> str:
    return f"sqlite:///{Path(str(known['data_folder'])).absolute()}/registry.sqlite3"


def _index_folder(known: dict[str, object]) -> Path:
    return Path(str(known["data_folder"])).absolute() / "index"


def _storage_url(known: dict[str, object]) -> str:
    return f"file://{Path(str(known['data_folder'])).absolute()}/storage"


class Environment(StrEnum):
    """What a registry is for. It stands in its keys, so that no key of a trial opens the real one."""

    LIVE = "live"
    TEST = "test"


class LogFormat(StrEnum):
    """How log lines look: for people, or a JSON object each, for machines that collect them."""

    HUMAN = "human"
    JSON = "json"


class Settings(BaseSettings):
    """How a registry runs. Each field is the environment variable of its name after `MEDIAMANAGER_`."""

    model_config = SettingsConfigDict(env_prefix="MEDIAMANAGER_", extra="ignore", frozen=True)

    data_folder: Path = Field(
        default=Path("media-manager-data"),
        description="Where the embedded set-up keeps everything: database, media, broker, keys.",
    )
    database_url: str = Field(
        default_factory=_database_url,
        repr=False,
        description="SQLAlchemy URL of the database; the default is SQLite in the data folder. In production"
        " `postgresql://user:password@host/database`.",
    )
    storage_url: str = Field(
        default_factory=_storage_url,
        description="Where media and the published log lie: `file:///folder` or `s3://bucket/prefix`.",
    )
    index_folder: Path = Field(
        default_factory=_index_folder,
        description="Where the processes of one host that answer lookups keep the index over works, mapped by all of"
        " them; made from the database, so it needs no backup. One folder for each registry and host.",
    )
    s3_endpoint_url: str | None = Field(
        default=None,
        description="Address of an S3-compatible server; left out, it is Amazon's.",
    )
    s3_region: str | None = Field(
        default=None, description="Region of the bucket; left out, what AWS_DEFAULT_REGION says."
    )
    s3_access_key_id: str | None = Field(
        default=None,
        repr=False,
        description="Key for the bucket; left out, the usual ways of AWS count (AWS_ACCESS_KEY_ID, a profile, a role).",
    )
    s3_secret_access_key: str | None = Field(default=None, repr=False, description="Secret of that key.")
    broker_url: str = Field(
        default="filesystem://",
        repr=False,
        description="Celery broker; the default needs no server and keeps its messages in the data folder. In"
        " production `redis://…` or `amqp://…`.",
    )
    broker_queue: str = Field(
        default="mediamanager",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Name of the queue: registries that share a broker need different ones.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="The address at which people reach the registry; links and origin checks use it.",
    )
    operator_name: str = Field(
        default="Media Manager",
        max_length=100,
        description="Who runs this registry, as shown on its pages.",
    )
    log_origin: str = Field(
        default="registry.localhost/log1",
        pattern=r"^[^\s+]{1,200}$",
        description="Name of the consent log and of its key. It is signed: never change it once entries exist.",
    )
    log_key: str | None = Field(
        default=None,
        repr=False,
        description="The log's signing key, as `keys/log.key` in the data folder holds it, instead of that file. Every"
        " process needs the same keys: set both or none.",
    )
    promise_key: str | None = Field(
        default=None,
        repr=False,
        description="The key that signs promises, as `keys/promise.key` in the data folder holds it, instead of that"
        " file.",
    )
    master_key: str | None = Field(
        default=None,
        repr=False,
        description="The master key that wraps the keys of personal data: 64 hexadecimal digits, as"
        " `openssl rand -hex 32` prints them; while it is rotated the new one, then the old one.",
    )
    master_key_file: Path | None = Field(
        default=None,
        description="A file with the master key instead; without any of the three it is `keys/master.key` in the data"
        " folder, made when the registry first starts.",
    )
    master_key_command: str | None = Field(
        default=None,
        description="A command that prints the master key instead, run without a shell whenever a process needs it.",
    )
    max_upload_bytes: int = Field(
        default=500_000_000,
        gt=0,
        description="The largest media file that is accepted, by upload or by address.",
    )
    max_request_bytes: int = Field(
        default=64_000_000,
        gt=0,
        description="The largest body of any other request; 10,000 assets with fingerprints fit.",
    )
    max_connections: int = Field(
        default=500,
        ge=1,
        description="Connections open at once to one process; more are told to come back (503). Each needs an open"
        " file: see `ulimit -n`.",
    )
    fetch_allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="host:port pairs, separated by commas, that fetching may reach although they are private."
        " For tests and the demo only.",
    )
    job_attempts: int = Field(default=8, ge=1, description="How often a job is tried before it is parked.")
    job_lease_seconds: int = Field(
        default=60,
        ge=1,
        description="How long a worker may be silent about a job before another one takes it over.",
    )
    job_backoff_seconds: float = Field(
        default=2.0,
        gt=0,
        description="Wait before the second attempt of a job; it doubles with each further one, up to an hour.",
    )
    sweep_seconds: int = Field(default=15, ge=1, description="How often due jobs are looked for that nobody runs.")
    youtube_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long all workers together wait between two videos, or two pages of a list, of YouTube.",
    )
    youtube_list_hours: float = Field(
        default=24.0,
        gt=0,
        description="How often channels and playlists of YouTube are looked through for new videos.",
    )
    youtube_api_key: str | None = Field(
        default=None,
        pattern=r"^[!-~]{1,200}$",
        repr=False,
        description="A key of YouTube's Data API. With one, whom a video's owner lets train with it by YouTube's own"
        " setting (`videoTrainability`) is read and shown beside the work.",
    )
    stop_seconds: int = Field(
        default=10,
        ge=0,
        description="How long requests and jobs in flight may go on once a process is told to stop (SIGTERM). Then"
        " requests are cut off and jobs given back; kill a process no sooner than three times this.",
    )
    jobs_kept_days: float = Field(
        default=30.0, gt=0, description="How long finished jobs stay in the list of jobs. Parked ones stay for ever."
    )
    log_format: LogFormat = Field(
        default=LogFormat.HUMAN, description="How log lines look: `human`, or `json`, an object a line."
    )
    incoming_hours: float = Field(
        default=24.0,
        gt=0,
        description="Age at which media that belongs to no work (an interrupted upload) is removed.",
    )
    environment: Environment = Field(
        default=Environment.LIVE,
        description="What this registry is for, `live` or `test`. Keys name it, and one of the other kind is refused.",
    )
    session_hours: float = Field(
        default=168.0, gt=0, description="How long a sign-in on the pages lasts at most, however much it is used."
    )
    session_idle_hours: float = Field(
        default=24.0, gt=0, description="How long a sign-in on the pages lasts without being used."
    )
    sign_in_link_minutes: float = Field(default=10.0, gt=0, description="How long a one-time sign-in link is good for.")
    request_threads: int = Field(
        default=40,
        ge=1,
        description="Requests answered at once by one process; the database pool is as large.",
    )

    @property
    def one_machine(self) -> bool:
        """Whether the database is a file of this machine, so that no other machine can take part."""
        return self.database_url.startswith("sqlite")

    @field_validator("fetch_allowed_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value


def load(data_folder: Path | None = None, **chosen: object) -> Settings:
    """The settings as the environment says, with another data folder if one is given, and with what a command chose.

    A choice that is None is left to the environment.

    Raises:
        InvalidInputError: a variable holds what its setting can't be; the message names it, and not what it holds.
    """
    try:
        given = {name: value for name, value in {"data_folder": data_folder, **chosen}.items() if value is not None}
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        said = "; ".join(
            f"MEDIAMANAGER_{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise InvalidInputError(f"a setting can't be used: {said}", field="settings") from None

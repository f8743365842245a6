"""Objects in a bucket of S3 or of a server that speaks it: the store for several machines."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from optout.errors import InvalidInputError, NotFoundError, StorageUnavailableError
from optout.store.settings import Settings
from optout.store.storage import Stored, check_key

_PART_BYTES: Final = 16 << 20
_READ_BYTES: Final = 1 << 20
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 10
_TRIES: Final = 3
"""With its waits in between, a call to a server that hangs ends after some 35 s."""
_DEFAULT_REGION: Final = "us-east-1"

_NOT_THERE: Final = {"NoSuchKey", "NotFound", "404"}
_EXISTS: Final = "PreconditionFailed"
_CONFLICT: Final = "ConditionalRequestConflict"

# One part at a time: an upload holds 16 MiB in memory, however large it is and however many there are.
_TRANSFER: Final = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, use_threads=False)


class S3Store:
    """Objects below a prefix of one bucket. An answer of S3 is durable, and every later read sees it."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet, so a server that is away is noticed at the first call.

        Raises:
            InvalidInputError: the settings name no bucket, or half of a key.
        """
        url = urlsplit(settings.storage_url)
        if (settings.s3_access_key_id is None) != (settings.s3_secret_access_key is None):
            raise InvalidInputError("set both s3_access_key_id and s3_secret_access_key, or none", field="s3_secret")
        self._bucket = url.netloc
        self._prefix = f"{url.path.strip('/')}/".lstrip("/")
        self._client = _client(settings)

    def create_bucket(self) -> bool:
        """Make the bucket unless it is there; whether it was made."""
        try:
            with _unavailable(self._bucket):
                self._client.head_bucket(Bucket=self._bucket)
        except NotFoundError:
            region = self._client.meta.region_name
            # The one region that may not be named.
            where = {} if region == _DEFAULT_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            with _unavailable(self._bucket):
                self._client.create_bucket(Bucket=self._bucket, **where)
            return True
        return False

    def put(self, key: str, stream: BinaryIO) -> int:
        """See Storage. Large objects go in parts, which are thrown away together if one can't be read or sent."""
        source = _Counted(stream)
        with _unavailable(key):
            self._client.upload_fileobj(source, self._bucket, self._name(key), Config=_TRANSFER)
        return source.count

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See Storage. The server decides, by `If-None-Match: *`."""
        name = self._name(key)
        for left in reversed(range(_TRIES)):
            try:
                self._client.put_object(Bucket=self._bucket, Key=name, Body=data, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) == _EXISTS:
                    # An attempt whose answer was lost may have been carried out: then it was we who won.
                    return _was_sent_again(error) and self.get(key) == data
                if _code(error) == _CONFLICT and left:  # another writer is in the middle of it: ask again
                    continue
                raise _told(error, key) from error
            except BotoCoreError as error:
                raise _told(error, key) from error
            else:
                return True
        raise AssertionError  # the last try returns or raises

    def get(self, key: str) -> bytes:
        """See Storage."""
        with _unavailable(key):
            return cast(bytes, self._client.get_object(Bucket=self._bucket, Key=self._name(key))["Body"].read())

    def open(self, key: str) -> BinaryIO:
        """See Storage."""
        with _unavailable(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._name(key))["Body"]
        return io.BufferedReader(_Body(body, key), _READ_BYTES)

    def move(self, source: str, target: str) -> None:
        """See Storage. A copy inside the server, then a removal."""
        with _unavailable(source):
            origin = {"Bucket": self._bucket, "Key": self._name(source)}
            self._client.copy(origin, self._bucket, self._name(target), Config=_TRANSFER)
            self._client.delete_object(**origin)

    def delete(self, key: str) -> None:
        """See Storage."""
        with _unavailable(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def exists(self, key: str) -> bool:
        """See Storage."""
        try:
            with _unavailable(key):
                self._client.head_object(Bucket=self._bucket, Key=self._name(key))
        except NotFoundError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[Stored]:
        """See Storage. Asked for a thousand at a time, as they are read."""
        pages = self._client.get_paginator("list_objects_v2")
        with _unavailable(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for found in page.get("Contents", ()):
                    yield Stored(found["Key"].removeprefix(self._prefix), found["Size"], found["LastModified"])

    def _name(self, key: str) -> str:
        check_key(key)
        return self._prefix + key


class _Counted:
    """A stream for boto3: counts what is read, can't be sought in, and is left open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.count += len(piece)
        return piece


class _Body(io.RawIOBase):
    """An object's bytes as they come, with our errors."""

    def __init__(self, body: StreamingBody, key: str) -> None:
        self._body = body
        self._key = key

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        with _unavailable(self._key):
            piece: bytes = self._body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()
        super().close()


def _client(settings: Settings) -> Any:  # boto3 ships no types
    own_server = settings.s3_endpoint_url is not None
    session = boto3.session.Session(
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key,
        region_name=settings.s3_region,
    )
    try:
        return session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=session.region_name or _DEFAULT_REGION,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
                max_pool_connections=settings.request_threads + 2,
                # Names of buckets are not names of hosts on a server of one's own.
                s3={"addressing_style": "path" if own_server else "auto"},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise InvalidInputError(f"the settings of the bucket can't be used: {error}", field="storage_url") from error


@contextmanager
def _unavailable(key: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, OSError) as error:
        raise _told(error, key) from error


def _told(error: Exception, key: str) -> NotFoundError | StorageUnavailableError:
    """What an error of boto3 means to callers of Storage."""
    if isinstance(error, ClientError):
        if _code(error) in _NOT_THERE:
            return NotFoundError(f"there is no stored object {key}", key=key)
        if _code(error) == "NoSuchBucket":
            return StorageUnavailableError("the bucket is not there: `mediamanager migrate` makes it", key=key)
        return StorageUnavailableError(f"the object store refused: {_code(error)}", key=key)
    return StorageUnavailableError(f"the object store can't be used: {error}", key=key)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _was_sent_again(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))

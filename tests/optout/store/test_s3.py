"""What the object store does when its server errs, is away, or answered and was not heard."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import services
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

from optout.errors import InvalidInputError, NotFoundError, StorageUnavailableError
from optout.store import s3
from optout.store.s3 import S3Store
from optout.store.settings import Settings

AWAY = {"s3_endpoint_url": "http://127.0.0.1:9", "s3_access_key_id": "id", "s3_secret_access_key": "secret"}


class Nothing(io.BytesIO):
    """The body of an answer that has none, as botocore reads it."""

    def stream(self) -> list[bytes]:
        return []


@pytest.fixture(scope="module")
def settings(object_store: services.ObjectStore) -> Settings:
    return Settings(
        storage_url="s3://faults/registry",
        s3_endpoint_url=object_store.url,
        s3_access_key_id=object_store.access_key_id,
        s3_secret_access_key=object_store.secret_access_key,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[S3Store]:
    made = S3Store(settings)
    made.create_bucket()
    yield made
    for stored in list(made.list("")):
        made.delete(stored.key)


@pytest.fixture
def unheard(store: S3Store) -> Callable[[str, int], list[str]]:
    """Lets the server carry out an operation and loses its answer, so many times; the list grows with each."""

    def lose(operation: str, times: int) -> list[str]:
        lost: list[str] = []
        real = URLLib3Session()

        def send(request: Any, **_more: object) -> AWSResponse | None:
            if len(lost) == times:
                return None
            lost.append(request.url)
            real.send(request)
            return AWSResponse(request.url, 500, {}, Nothing())

        store._client.meta.events.register(f"before-send.s3.{operation}", send)
        return lost

    return lose


@pytest.mark.flow
def test_an_answer_that_was_lost_does_not_make_the_winner_a_loser(
    store: S3Store, unheard: Callable[[str, int], list[str]]
) -> None:
    lost = unheard("PutObject", 1)

    assert store.put_if_absent("log/tile", b"ours") is True

    assert len(lost) == 1
    assert store.get("log/tile") == b"ours"


@pytest.mark.flow
def test_a_loser_whose_answer_was_lost_is_still_a_loser(
    store: S3Store, unheard: Callable[[str, int], list[str]]
) -> None:
    store.put("log/tile", io.BytesIO(b"theirs"))
    unheard("PutObject", 1)

    assert store.put_if_absent("log/tile", b"ours") is False

    assert store.get("log/tile") == b"theirs"


@pytest.mark.flow
def test_errors_without_end_are_told_and_trying_again_is_safe(
    store: S3Store, unheard: Callable[[str, int], list[str]]
) -> None:
    lost = unheard("PutObject", s3._TRIES)

    with pytest.raises(StorageUnavailableError):
        store.put("media/1", io.BytesIO(b"abc"))
    assert len(lost) == s3._TRIES

    assert store.put("media/1", io.BytesIO(b"abc")) == 3
    assert store.get("media/1") == b"abc"


@pytest.mark.flow
def test_a_bucket_that_is_not_there_says_who_makes_it(settings: Settings) -> None:
    store = S3Store(settings.model_copy(update={"storage_url": "s3://absent/registry"}))

    with pytest.raises(StorageUnavailableError, match="mediamanager migrate"):
        store.put("media/1", io.BytesIO(b"abc"))
    with pytest.raises(StorageUnavailableError, match="mediamanager migrate"):
        store.get("media/1")
    assert store.create_bucket() is True
    assert store.create_bucket() is False
    with pytest.raises(NotFoundError):
        store.get("media/1")


@pytest.mark.flow
def test_a_wrong_key_is_unavailable_and_told_nowhere(settings: Settings) -> None:
    store = S3Store(settings.model_copy(update={"s3_secret_access_key": "a-wrong-secret"}))

    with pytest.raises(StorageUnavailableError) as caught:
        store.exists("media/1")

    assert "a-wrong-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.put("media/1", io.BytesIO(b"abc")),
        lambda store: store.put_if_absent("media/1", b"abc"),
        lambda store: store.get("media/1"),
        lambda store: store.open("media/1"),
        lambda store: store.move("media/1", "media/2"),
        lambda store: store.delete("media/1"),
        lambda store: store.exists("media/1"),
        lambda store: list(store.list("media/")),
    ],
)
def test_a_server_that_is_away_is_unavailable(
    call: Callable[[S3Store], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    store = S3Store(Settings(storage_url="s3://bucket", **AWAY))

    with pytest.raises(StorageUnavailableError):
        call(store)


def test_half_a_key_and_an_address_that_is_none_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="both"):
        S3Store(Settings(storage_url="s3://bucket", s3_access_key_id="id"))
    with pytest.raises(InvalidInputError, match="bucket"):
        S3Store(Settings(storage_url="s3://bucket", s3_endpoint_url="not an address"))


def test_the_secret_is_in_no_text_of_the_settings() -> None:
    settings = Settings(storage_url="s3://bucket", s3_access_key_id="an-id", s3_secret_access_key="a-secret")

    assert "a-secret" not in repr(settings)
    assert "an-id" not in repr(settings)


def test_the_usual_environment_of_aws_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")

    client = S3Store(Settings(storage_url="s3://bucket"))._client

    assert client._request_signer._credentials.access_key == "from-the-environment"
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "https://s3.eu-north-1.amazonaws.com"

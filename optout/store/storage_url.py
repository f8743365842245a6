"""Opens the store that a URL names: a folder of this machine, or a bucket."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from optout.errors import InvalidInputError
from optout.store.settings import Settings
from optout.store.storage import FolderStore, Storage


def open_storage(settings: Settings) -> Storage:
    """The store that the settings name.

    Raises:
        InvalidInputError: the URL is of no kind that we know.
    """
    url = urlsplit(settings.storage_url)
    if url.scheme == "file" and not url.netloc:
        return FolderStore(Path(unquote(url.path)))
    if url.scheme == "s3" and url.netloc:
        from optout.store.s3 import S3Store  # noqa: PLC0415 - boto3 takes a third of a second to import

        return S3Store(settings)
    raise InvalidInputError("storage_url must be file:///absolute/folder or s3://bucket/prefix", field="storage_url")

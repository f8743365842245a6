import pytest

from mediamanager.web import sentences
from mediamanager.web.language import translations
from optout.consent.identifiers import canonical_url
from optout.errors import InvalidInputError
from workers.errors import FetchFailedError, FetchRefusedError, FetchTooLargeError

FETCHING = [FetchRefusedError.code, FetchFailedError.code, FetchTooLargeError.code]


@pytest.mark.parametrize("typed", ["not a link", "ftp://example.com/x", "https://", "https://[::1"])
def test_what_is_no_address_is_told_without_jargon_in_both_languages(typed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        canonical_url(typed)

    assert sentences.error(caught.value, translations("en")).startswith("This is not a web address. Copy it from")
    assert sentences.error(caught.value, translations("fr")).startswith("Ce n'est pas une adresse web. Copiez-la")


@pytest.mark.parametrize("code", FETCHING)
def test_why_an_address_could_not_be_fetched_is_told_in_french(code: str) -> None:
    told = sentences.failure(code, "the server packs the file in a way that we did not ask for", translations("fr"))

    assert "adresse" in told
    assert "server" not in told


def test_the_exact_english_reason_is_made_a_sentence() -> None:
    said = "the address uses port 9; only ports 80 and 443 are fetched"

    told = sentences.failure("fetch-refused", said, translations("en"))

    assert told == "The address uses port 9; only ports 80 and 443 are fetched."

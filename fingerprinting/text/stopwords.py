"""Words that carry no content (function words and number words of many languages), dropped before shingling."""

from importlib import resources


def words() -> tuple[str, ...]:
    """Read the list that is shipped beside this file, as people write the words; some stand in several languages."""
    text = resources.files(__package__).joinpath("stopwords.txt").read_text(encoding="utf-8")
    return tuple(word for line in text.splitlines() if not line.startswith("#") for word in line.split())

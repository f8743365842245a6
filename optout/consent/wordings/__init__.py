"""The sentences of `explain`: one module a language, each with the same tables."""

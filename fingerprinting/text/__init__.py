"""Texts and captions: parse, normalise, shingle."""

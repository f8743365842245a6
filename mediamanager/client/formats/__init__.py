"""Readers and writers of what is filtered: one module a format, chosen by what the input is."""

"""Accounts, works, claims and lookups: the domain functions that every surface calls."""

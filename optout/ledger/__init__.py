"""The consent log: append in the caller's transaction, sequence, publish."""

"""The offline verifier, on purpose a second implementation of the log."""

"""PURE: one file per opt-out standard. Readers and writers of signals arrive with the signals milestone."""

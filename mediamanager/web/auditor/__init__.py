"""The pages of an auditor: the public log."""

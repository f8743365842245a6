"""Pages for people: creator, public, auditor."""

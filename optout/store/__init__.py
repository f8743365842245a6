"""Rows, migrations, media storage, the outbox, settings."""

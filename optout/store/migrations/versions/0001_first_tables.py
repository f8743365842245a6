"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "self-declared",
                "account",
                "domain",
                "verified",
                name="evidencelevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_accounts_pseudonym")),
    )
    op.create_table(
        "master_key_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_master_key_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_master_key_head")),
    )
    op.create_table(
        "subject_keys",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(length=64), nullable=False),
        sa.Column("master_key_id", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_keys")),
    )
    op.create_table(
        "change_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_change_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_head")),
    )
    op.create_table(
        "changes",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum("work", "claim", name="changekind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_changes")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("word", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "word", name=op.f("pk_tallies")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "fingerprint_work",
                "refingerprint_work",
                "publish_log",
                "list_videos",
                name="jobkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "parked",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_sentence", sa.String(length=1000), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index(
            "uq_jobs_one_waiting",
            ["kind", "subject"],
            unique=True,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "log_entries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("leaf", sa.LargeBinary(length=4096), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("(body IS NULL) = (salt IS NULL)", name=op.f("ck_log_entries_erased_together")),
        sa.ForeignKeyConstraint(
            ["previous_number"], ["log_entries.number"], name=op.f("fk_log_entries_previous_number_log_entries")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_entries")),
        sa.UniqueConstraint("id", name=op.f("uq_log_entries_id")),
        sa.UniqueConstraint("index", name=op.f("uq_log_entries_index")),
        sa.UniqueConstraint("leaf_hash", name=op.f("uq_log_entries_leaf_hash")),
        sa.UniqueConstraint("previous_number", name=op.f("uq_log_entries_previous_number")),
    )
    with op.batch_alter_table("log_entries", schema=None) as batch_op:
        batch_op.create_index("ix_log_entries_subject", ["subject", "number"], unique=False)
        batch_op.create_index(
            "ix_log_entries_unsequenced",
            ["number"],
            unique=False,
            postgresql_where=sa.text('"index" IS NULL'),
            sqlite_where=sa.text('"index" IS NULL'),
        )
        batch_op.create_index(
            "uq_log_entries_first_of_subject",
            ["subject"],
            unique=True,
            postgresql_where=sa.text("previous_number IS NULL"),
            sqlite_where=sa.text("previous_number IS NULL"),
        )

    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("signed_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("published_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_one_row")),
        sa.CheckConstraint(
            "published_size IS NULL OR (signed_size IS NOT NULL AND published_size <= signed_size)",
            name=op.f("ck_log_head_published_within_signed"),
        ),
        sa.CheckConstraint("signed_size IS NULL OR signed_size <= size", name=op.f("ck_log_head_signed_within_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.String(length=16), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id_accounts")),
        sa.ForeignKeyConstraint(["replaced_by"], ["api_keys.id"], name=op.f("fk_api_keys_replaced_by_api_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_account_id"), ["account_id"], unique=False)

    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_idempotency_keys_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", "key_digest", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_in_links_account_id_accounts")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_links")),
    )
    with op.batch_alter_table("sign_in_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_links_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "works",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending", "ready", "failed", name="workstate", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("file_name", sa.String(length=300), nullable=True),
        sa.Column("source_url", sa.String(length=2048), nullable=True),
        sa.Column("channel", sa.String(length=100), nullable=True),
        sa.Column("channel_title", sa.String(length=300), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("licence", sa.String(length=200), nullable=True),
        sa.Column("trainability", sa.JSON(), nullable=True),
        sa.Column("wants_sound", sa.Boolean(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("keep_media", sa.Boolean(), nullable=False),
        sa.Column("show_media", sa.Boolean(), nullable=False),
        sa.Column("media_key", sa.String(length=500), nullable=True),
        sa.Column(
            "modality",
            sa.Enum(
                "image",
                "audio",
                "video",
                "text",
                "pages",
                name="modality",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("media_type", sa.String(length=100), nullable=True),
        sa.Column("identifiable", sa.Boolean(), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("applied", sa.JSON(), nullable=False),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("failure_sentence", sa.String(length=1000), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_works_failed_has_reason")),
        sa.CheckConstraint("(state = 'ready') = (ready_at IS NOT NULL)", name=op.f("ck_works_ready_has_time")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_works_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_works")),
        sa.UniqueConstraint("account_id", "identity", name=op.f("uq_works_account_id_identity")),
    )
    with op.batch_alter_table("works", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_works_media_key"), ["media_key"], unique=False)
        batch_op.create_index("ix_works_identity", ["identity"], unique=False)
        batch_op.create_index("ix_works_newest_first", ["account_id", "registered_at", "id"], unique=False)

    _create_what_claims_refer_to()
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "account", "collection", "work", name="scope", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("work_id", sa.Uuid(), nullable=True),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("claimant_id", sa.Uuid(), nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "self-declared",
                "account",
                "domain",
                "verified",
                name="evidencelevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms_url", sa.String(length=2048), nullable=True),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supersedes", sa.Uuid(), nullable=True),
        sa.Column("log_subject", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "contested",
                "withdrawn",
                "superseded",
                "void",
                name="claimstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_entry_id", sa.String(length=32), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('active', 'contested')) = (settled_at IS NULL)", name=op.f("ck_claims_settled_has_time")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_claims_ends_after_it_begins")
        ),
        sa.CheckConstraint("(scope = 'work') = (work_id IS NOT NULL)", name=op.f("ck_claims_work_scope_has_work")),
        sa.CheckConstraint(
            "(scope = 'collection') = (collection_id IS NOT NULL)", name=op.f("ck_claims_collection_scope_has_one")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_claims_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["claimant_id"], ["accounts.id"], name=op.f("fk_claims_claimant_id_accounts")),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entries.id"], name=op.f("fk_claims_entry_id_log_entries")),
        sa.ForeignKeyConstraint(
            ["settled_entry_id"], ["log_entries.id"], name=op.f("fk_claims_settled_entry_id_log_entries")
        ),
        sa.ForeignKeyConstraint(["superseded_by"], ["claims.id"], name=op.f("fk_claims_superseded_by_claims")),
        sa.ForeignKeyConstraint(["supersedes"], ["claims.id"], name=op.f("fk_claims_supersedes_claims")),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_claims_work_id_works")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claims_claimant_id"), ["claimant_id"], unique=False)
        batch_op.create_index(
            "uq_claims_one_live",
            ["work_id", "claimant_id"],
            unique=True,
            postgresql_where=sa.text("work_id IS NOT NULL AND settled_at IS NULL"),
            sqlite_where=sa.text("work_id IS NOT NULL AND settled_at IS NULL"),
        )
        batch_op.create_index(
            "uq_claims_one_live_of_collection",
            ["collection_id", "claimant_id"],
            unique=True,
            postgresql_where=sa.text("collection_id IS NOT NULL AND settled_at IS NULL"),
            sqlite_where=sa.text("collection_id IS NOT NULL AND settled_at IS NULL"),
        )
        batch_op.create_index(
            "uq_claims_one_live_of_account",
            ["claimant_id"],
            unique=True,
            postgresql_where=sa.text("work_id IS NULL AND collection_id IS NULL AND settled_at IS NULL"),
            sqlite_where=sa.text("work_id IS NULL AND collection_id IS NULL AND settled_at IS NULL"),
        )
        batch_op.create_index(
            "ix_claims_work_settled",
            ["work_id", "settled_at", "filed_at"],
            unique=False,
            postgresql_where=sa.text("work_id IS NOT NULL"),
            sqlite_where=sa.text("work_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_claims_collection_settled",
            ["collection_id", "settled_at", "filed_at"],
            unique=False,
            postgresql_where=sa.text("collection_id IS NOT NULL"),
            sqlite_where=sa.text("collection_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_claims_account_settled",
            ["claimant_id", "settled_at", "filed_at"],
            unique=False,
            postgresql_where=sa.text("work_id IS NULL AND collection_id IS NULL"),
            sqlite_where=sa.text("work_id IS NULL AND collection_id IS NULL"),
        )
        batch_op.create_index(
            "ix_claims_work_backdated",
            ["work_id", "filed_at"],
            unique=False,
            postgresql_where=sa.text("work_id IS NOT NULL AND valid_from < filed_at"),
            sqlite_where=sa.text("work_id IS NOT NULL AND valid_from < filed_at"),
        )
        batch_op.create_index(
            "ix_claims_collection_backdated",
            ["collection_id", "filed_at"],
            unique=False,
            postgresql_where=sa.text("collection_id IS NOT NULL AND valid_from < filed_at"),
            sqlite_where=sa.text("collection_id IS NOT NULL AND valid_from < filed_at"),
        )
        batch_op.create_index(
            "ix_claims_account_backdated",
            ["claimant_id", "filed_at"],
            unique=False,
            postgresql_where=sa.text("work_id IS NULL AND collection_id IS NULL AND valid_from < filed_at"),
            sqlite_where=sa.text("work_id IS NULL AND collection_id IS NULL AND valid_from < filed_at"),
        )

    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_web_sessions_account_id_accounts")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_web_sessions_key_id_api_keys")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_sessions")),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_sessions_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_web_sessions_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "work_fingerprints",
        sa.Column("work_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("span", sa.JSON(none_as_null=True), nullable=True),
        sa.Column(
            "unit",
            sa.Enum(
                "pixels", "seconds", "characters", name="spanunit", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_work_fingerprints_work_id_works")),
        sa.PrimaryKeyConstraint("work_id", "position", name=op.f("pk_work_fingerprints")),
    )
    # The row that numbers changes; `optout.store.changes` locks it.
    op.execute("INSERT INTO change_head (id, number) VALUES (1, 0)")


def _create_what_claims_refer_to() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "album",
                "channel",
                "domain",
                name="collectionkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_subject", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_collections_account_id_accounts")),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entries.id"], name=op.f("fk_collections_entry_id_log_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("account_id", "kind", "name", name=op.f("uq_collections_account_id_kind_name")),
    )
    op.create_table(
        "collection_works",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("work_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_collection_works_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_collection_works_work_id_works")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_works")),
    )
    with op.batch_alter_table("collection_works", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_works_collection_id"), ["collection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_collection_works_work_id"), ["work_id"], unique=False)
        batch_op.create_index(
            "uq_collection_works_once_now",
            ["work_id", "collection_id"],
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
            sqlite_where=sa.text("removed_at IS NULL"),
        )
    op.create_table(
        "listings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("channel", "playlist", name="listingkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reading",
                "done",
                "failed",
                "stopped",
                name="listingstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("follow", sa.Boolean(), nullable=False),
        sa.Column("wants_sound", sa.Boolean(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.Column("preferences", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("failure_sentence", sa.String(length=1000), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'failed') = (failure_code IS NOT NULL)", name=op.f("ck_listings_failed_has_reason")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_listings_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_listings_collection_id_collections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("account_id", "address", name=op.f("uq_listings_account_id_address")),
    )
    with op.batch_alter_table("listings", schema=None) as batch_op:
        batch_op.create_index("ix_listings_next_at", ["next_at"], unique=False)

    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grantor_id", sa.Uuid(), nullable=False),
        sa.Column("grantee_id", sa.Uuid(), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "self-declared",
                "account",
                "domain",
                "verified",
                name="evidencelevel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("uses", sa.JSON(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "account", "collection", "work", name="scope", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("works", sa.JSON(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_subject", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_entry_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_grants_ends_after_it_begins")
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_entry_id IS NULL)", name=op.f("ck_grants_revoked_is_logged")
        ),
        sa.CheckConstraint(
            "(scope = 'collection') = (collection_id IS NOT NULL)", name=op.f("ck_grants_collection_scope_has_one")
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_grants_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entries.id"], name=op.f("fk_grants_entry_id_log_entries")),
        sa.ForeignKeyConstraint(
            ["revoked_entry_id"], ["log_entries.id"], name=op.f("fk_grants_revoked_entry_id_log_entries")
        ),
        sa.ForeignKeyConstraint(["grantee_id"], ["accounts.id"], name=op.f("fk_grants_grantee_id_accounts")),
        sa.ForeignKeyConstraint(["grantor_id"], ["accounts.id"], name=op.f("fk_grants_grantor_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_grantee_id"), ["grantee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_grantor_id"), ["grantor_id"], unique=False)
    op.create_table(
        "non_matches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_id", sa.Uuid(), nullable=False),
        sa.Column("asset_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reported",
                "confirmed",
                "refused",
                name="nonmatchstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("log_subject", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(state = 'reported') = (settled_at IS NULL)", name=op.f("ck_non_matches_settled_has_time")),
        sa.ForeignKeyConstraint(["entry_id"], ["log_entries.id"], name=op.f("fk_non_matches_entry_id_log_entries")),
        sa.ForeignKeyConstraint(["reporter_id"], ["accounts.id"], name=op.f("fk_non_matches_reporter_id_accounts")),
        sa.ForeignKeyConstraint(["work_id"], ["works.id"], name=op.f("fk_non_matches_work_id_works")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_non_matches")),
        sa.UniqueConstraint("work_id", "asset_key", name=op.f("uq_non_matches_work_id_asset_key")),
    )
    with op.batch_alter_table("non_matches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_non_matches_reporter_id"), ["reporter_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_non_matches_work_id"), ["work_id"], unique=False)
    op.create_table(
        "non_match_periods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("non_match_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= confirmed_at", name=op.f("ck_non_match_periods_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["non_match_id"], ["non_matches.id"], name=op.f("fk_non_match_periods_non_match_id_non_matches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_non_match_periods")),
    )
    with op.batch_alter_table("non_match_periods", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_non_match_periods_non_match_id"), ["non_match_id"], unique=False)
        batch_op.create_index(
            "uq_non_match_periods_one_open",
            ["non_match_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )


def downgrade() -> None:
    op.drop_table("work_fingerprints")
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_web_sessions_expires_at"))
        batch_op.drop_index(batch_op.f("ix_web_sessions_account_id"))

    op.drop_table("web_sessions")
    op.drop_table("claims")
    op.drop_table("non_match_periods")
    op.drop_table("non_matches")
    op.drop_table("grants")
    op.drop_table("paces")
    op.drop_table("listings")
    op.drop_table("collection_works")
    op.drop_table("collections")
    with op.batch_alter_table("works", schema=None) as batch_op:
        batch_op.drop_index("ix_works_newest_first")
        batch_op.drop_index("ix_works_identity")
        batch_op.drop_index(batch_op.f("ix_works_media_key"))

    op.drop_table("works")
    with op.batch_alter_table("sign_in_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_links_expires_at"))

    op.drop_table("sign_in_links")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_expires_at"))

    op.drop_table("idempotency_keys")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_account_id"))

    op.drop_table("api_keys")
    op.drop_table("log_head")
    with op.batch_alter_table("log_entries", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_log_entries_first_of_subject",
            postgresql_where=sa.text("previous_number IS NULL"),
            sqlite_where=sa.text("previous_number IS NULL"),
        )
        batch_op.drop_index(
            "ix_log_entries_unsequenced",
            postgresql_where=sa.text('"index" IS NULL'),
            sqlite_where=sa.text('"index" IS NULL'),
        )
        batch_op.drop_index("ix_log_entries_subject")

    op.drop_table("log_entries")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_one_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index("ix_jobs_state_due_at")

    op.drop_table("jobs")
    op.drop_table("tallies")
    op.drop_table("heartbeats")
    op.drop_table("changes")
    op.drop_table("change_head")
    op.drop_table("subject_keys")
    op.drop_table("master_key_head")
    op.drop_table("accounts")

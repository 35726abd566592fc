"""The tables of batches that the gateway executes.

End users stand in them as digests (`digest_of`): their names are the text of callers, of any length
and with any character, and a purge asks only for equal ones.
"""

import sqlalchemy as sql

__all__ = ["BATCHES", "FILES", "PARTS", "RESULTS", "TABLES"]

TABLES = sql.MetaData()

FILES = sql.Table(
    "azure_responses_files",
    TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("owner", sql.String(200), index=True),
    sql.Column("purpose", sql.String(32), nullable=False),
    sql.Column("filename", sql.Text, nullable=False),
    sql.Column("size", sql.BigInteger, nullable=False),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("expires", sql.Double),
    sql.Column("is_whole", sql.Boolean, nullable=False),
    sql.Column("end_user_digest", sql.String(64)),
    # Of an output or error file, whose lines are those of the results.
    sql.Column("batch_id", sql.String(64)),
    sql.Column("is_failed", sql.Boolean),
)
PARTS = sql.Table(
    "azure_responses_file_parts",
    TABLES,
    sql.Column("file_id", sql.String(64), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("data", sql.LargeBinary, nullable=False),
)
BATCHES = sql.Table(
    "azure_responses_batches",
    TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("owner", sql.String(200), index=True),
    sql.Column("key_id", sql.String(200), nullable=False),
    sql.Column("status", sql.String(16), nullable=False, index=True),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("input_file_id", sql.String(64)),
    sql.Column("end_user_digest", sql.String(64)),
    sql.Column("claimed_by", sql.String(64)),
    sql.Column("claimed_until", sql.Double),
)
RESULTS = sql.Table(
    "azure_responses_batch_results",
    TABLES,
    sql.Column("batch_id", sql.String(64), primary_key=True),
    sql.Column("line", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("is_failed", sql.Boolean, nullable=False),
    # False of a request that was not made, because the batch ended before.
    sql.Column("is_made", sql.Boolean, nullable=False),
    sql.Column("text", sql.LargeBinary, nullable=False),
    sql.Column("size", sql.BigInteger, nullable=False),
    sql.Column("input", sql.BigInteger, nullable=False),
    sql.Column("cached", sql.BigInteger, nullable=False),
    sql.Column("output", sql.BigInteger, nullable=False),
    sql.Column("reasoning", sql.BigInteger, nullable=False),
    sql.Column("cost", sql.BigInteger),
    # Whom the body of the line names.
    sql.Column("end_user_digest", sql.String(64)),
)

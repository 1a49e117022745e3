"""What to examine, and how a mend is written so that it works when pasted. No I/O."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from harness.journal.source_mapping import SourceMapping
from harness.record.postgres.tables import TableSpec, specs_of
from harness.resources import sql_queries
from harness.settings import Settings

DSN_FORM = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the operator has set."""

    settings: Settings
    dsn: str | None
    variable: str
    """The environment variable that the DSN comes from."""
    schema: str = "public"
    mapping: SourceMapping | None = None
    """How the tables are read; None: by the shipped mapping."""

    @property
    def specs(self) -> tuple[TableSpec, ...]:
        """The tables that the recorder would look for."""
        return specs_of(self.mapping)

    @property
    def table_names(self) -> list[str]:
        """Their names, in the same order."""
        return [spec.name for spec in self.specs]

    def parts(self) -> Mapping[str, str]:
        """The DSN taken apart; empty if there is none or it is not one."""
        try:
            found = conninfo_to_dict(self.dsn or "")
        except psycopg.Error:
            return {}
        return {name: str(value) for name, value in found.items() if value}

    def export_with(self, **parameters: str) -> str:
        """A shell line that changes parts of the DSN and repeats no secret that stands in it.

        Of a parameter given twice libpq takes the last, in both notations.
        """
        dsn = (self.dsn or "").strip()
        if dsn.startswith(("postgresql://", "postgres://")):
            pairs = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
            added = f"{'&' if '?' in dsn else '?'}{pairs}"
        else:
            added = "".join(f" {name}={_keyword(value)}" for name, value in parameters.items())
        return f'export SHADOW_DSN="${{{self.variable}}}{added}"'


def system_authorities() -> str:
    """The file of certificate authorities that this machine trusts, or a word to be replaced.

    Named in full: the libpq that comes with the driver looks for ``system`` in a folder of its own
    making, which no machine has.
    """
    return ssl.get_default_verify_paths().cafile or "PROVIDER-ROOT.crt"


def quoted(*names: str) -> str:
    """A name with its schema as an SQL identifier."""
    return sql.Identifier(*names).as_string()


def literal(value: str) -> str:
    """A text as an SQL literal."""
    return sql.Literal(value).as_string().lstrip()


def mend_query(name: str, **names: str) -> str:
    """A statement of ``mends.sql`` with its names filled in and quoted."""
    text = sql_queries("postgres/doctor/mends.sql")[name]
    return text.format_map({key: quoted(value) for key, value in names.items()})


def role_script(
    role: str, schema: str, database: str | None, *, exists: bool = False
) -> tuple[str, ...]:
    """The statements that make the recorder's role or complete it. Sets no password."""
    who = quoted(role)
    create = () if exists else (f"CREATE ROLE {who} LOGIN CONNECTION LIMIT 8;",)
    connect = (f"GRANT CONNECT ON DATABASE {quoted(database)} TO {who};",) if database else ()
    return (
        *create,
        f"ALTER ROLE {who} SET default_transaction_read_only = on;",
        *connect,
        f"GRANT pg_read_all_stats TO {who};",
        f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {who};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {who};",
    )


def _keyword(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    shell = f"'{escaped}'".replace("\\", "\\\\")
    for character in '"$`':
        shell = shell.replace(character, f"\\{character}")
    return shell

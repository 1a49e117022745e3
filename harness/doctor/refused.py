"""Explains why a connection was refused, from libpq's or the server's words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from harness.doctor import elsewhere
from harness.doctor.plan import DSN_FORM, Plan, quoted, role_script, system_authorities


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What to do about it."""

    text: str
    sql: Sequence[str] = ()
    shell: Sequence[str] = ()


def mend_refusal(said: str, plan: Plan) -> Mend:
    """Return the mend for a connection that was refused with these words."""
    low = said.lower()
    return _encryption(low, plan) or _login(low, plan) or _place(low, plan)


def _encryption(low: str, plan: Plan) -> Mend | None:
    """Trouble with TLS. Verification is never switched off as a mend."""
    if "root certificate file" in low and "does not exist" in low:
        return Mend(
            text="Give the file with your provider's root certificate; if a public authority "
            "signed the server's certificate, this machine's own list knows it.",
            shell=[plan.export_with(sslmode="verify-full", sslrootcert=system_authorities())],
        )
    if "certificate verify failed" in low:
        return Mend(
            text="The server's certificate was signed by an authority that sslrootcert does not "
            "name. Download your provider's root certificate and give that file.",
            shell=[plan.export_with(sslrootcert="PROVIDER-ROOT.crt")],
        )
    if "server certificate for" in low or "does not match host name" in low:
        return Mend(
            text="The certificate is for another name. Connect by the name it was made for, or, "
            "if the chain of signatures is proof enough for you, do not check the name.",
            shell=[plan.export_with(sslmode="verify-ca")],
        )
    if "does not support ssl" in low:
        return Mend(
            text="The server speaks no TLS. On a network that you trust, leave TLS out; else "
            "switch it on at the server (ssl = on).",
            shell=[plan.export_with(sslmode="prefer")],
        )
    if "no encryption" in low or "ssl off" in low:
        return Mend(
            text="The server admits this role only with TLS.",
            shell=[plan.export_with(sslmode="require")],
        )
    return None


def _login(low: str, plan: Plan) -> Mend | None:
    """The server was reached and does not let the role in."""
    parts = plan.parts()
    role, database = parts.get("user", "shadow_recorder"), parts.get("dbname", parts.get("user"))
    who = quoted(role)
    if re.search(r'role ".*" does not exist', low):
        return Mend(
            text="Correct the user in SHADOW_DSN, or make the role; then give it a password "
            f"with \\password {role} in psql.",
            sql=role_script(role, plan.schema, database),
        )
    if re.search(r'database ".*" does not exist|no such database', low):
        return _other_database(plan)
    if "permission denied for database" in low:
        return Mend(
            text="The role may not enter this database.",
            sql=[f"GRANT CONNECT ON DATABASE {quoted(str(database))} TO {who};"],
        )
    if "not permitted to log in" in low:
        return Mend(text="The role may not log in.", sql=[f"ALTER ROLE {who} LOGIN;"])
    if "too many connections for role" in low:
        return Mend(
            text="Other sessions of this role use up its limit.",
            sql=[f"ALTER ROLE {who} CONNECTION LIMIT 8;"],
        )
    if "too many clients" in low or "remaining connection slots" in low:
        return Mend(text="The server has no free connection. End other sessions and try again.")
    if "password" in low or "authentication failed" in low or "sasl" in low:
        kept = {k: v for k, v in parts.items() if k not in ("user", "password", "dbname")}
        return Mend(
            text="Type the right password (nothing shows); it is then in PGPASSWORD and no longer "
            f"in the DSN. As the owner, \\password {role} in psql sets a new one.",
            shell=[
                "read -rs PGPASSWORD && export PGPASSWORD",
                f"export SHADOW_DSN='postgresql://{quote(role)}@/{quote(str(database))}?"
                f"{urlencode(kept, quote_via=quote)}'",
            ],
        )
    if "pg_hba.conf" in low:
        return Mend(
            text="The server admits no such role from this machine. Add a line to its pg_hba.conf, "
            "with this machine's address, and reload it.",
            sql=["SELECT pg_reload_conf();"],
        )
    return None


def _place(low: str, plan: Plan) -> Mend:
    """Nobody who understands us was reached."""
    parts = plan.parts()
    if "translate host name" in low or "name or service" in low:
        return Mend(
            text="No machine has that name. Put the right one for HOST.",
            shell=[plan.export_with(host="HOST")],
        )
    if "unsupported startup parameter" in low:
        return Mend(
            text="A pooler stands in between and knows no such parameter. Take options= out of "
            "the DSN, or add it to ignore_startup_parameters in the pooler's settings.",
        )
    if "statement pooling" in low:
        return Mend(
            text="The pooler gives a server to each statement, so nothing can be read in one "
            "snapshot. Set pool_mode = transaction there, or go past it.",
        )
    if "starting up" in low or "recovery mode" in low or "shutting down" in low:
        return Mend(text="The server is not ready yet. Try again in a moment.")
    ports = elsewhere.open_ports(parts) if parts else []
    if "refused" in low or "no such file" in low or "timeout" in low or "timed out" in low:
        if ports:
            return Mend(
                text=f"Nothing answers at this port, but something listens at {_listed(ports)}.",
                shell=[plan.export_with(port=str(ports[0]))],
            )
        return Mend(
            text="Nothing answers there. Check that the server runs, that host and port are "
            "right and that no firewall stands in between. Put the right port for PORT.",
            shell=[plan.export_with(port="PORT")],
        )
    return Mend(
        text="Check host, port, user and database in SHADOW_DSN.",
        shell=[f"export SHADOW_DSN={shlex.quote(DSN_FORM)}"],
    )


def _other_database(plan: Plan) -> Mend:
    places = elsewhere.places(plan)
    if places:
        return Mend(
            text=f"There is no such database; the tables are in {_listed([places[0].database])}.",
            shell=[plan.export_with(dbname=places[0].database)],
        )
    names = elsewhere.databases(plan)
    known = f" The role may enter {_listed(names)}." if names else ""
    return Mend(
        text=f"There is no such database.{known} Put the right one for DATABASE.",
        shell=[plan.export_with(dbname="DATABASE")],
    )


def _listed(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))

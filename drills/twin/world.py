"""Which machines, addresses and files does the twin's service have?

The control plane in `servers.py` decides what is to happen; here it is done to real processes. Everything that the
twin leaves on disk while it runs lies below one folder, its state.
"""

from __future__ import annotations

import asyncio
import random
import re
import ssl
import subprocess
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path

import trustme

from drills.twin import clock
from drills.twin.cluster import Administrator, Cluster
from drills.twin.config import Config, ServerConfig
from drills.twin.gateway import Address, Route
from drills.twin.restore import Restore
from drills.twin.template import SEGMENT_BYTES, Template
from drills.twin.traffic import write_to_zep
from drills.twin.truth import Truth

# A new server's first backup came 294 to 480 s after its creation, rarely later; one a day follows
# (several hundred reads in the recordings of azure-cli's tests, from August 2024).
_FIRST_BACKUP_SERVICE_S = (294.0, 480.0)
_BACKUP_EVERY_SERVICE_S = 86_400.0
# "A busy server fills a segment about every minute" is what a rehearsal's load stands for.
_BUSY_SEGMENT_EVERY_SERVICE_S = 60.0


class World:
    """The data planes of all servers."""

    def __init__(self, config: Config, state: Path, template: Template, ca: trustme.CA, truth: Truth) -> None:
        self.config = config
        self.time = clock.ServiceTime(config.time_scale)
        self.truth = truth
        self.numbers = random.Random(config.seed)
        self.minor_version = _minor_version(template)
        self._template = template
        self._ca = ca
        self._folder = state / "servers"
        self._folder.mkdir(mode=0o755)
        self._clusters: list[Cluster] = []
        self._addresses: list[Address] = []

    def cluster(self, name: str) -> Cluster:
        """Room for the data of a new server."""
        cluster = Cluster(name, self._folder / name, self._template.programs, self.truth)
        self._clusters.append(cluster)
        return cluster

    def find(self, name: str) -> Cluster | None:
        """The data of a server that exists."""
        return next((cluster for cluster in self._clusters if cluster.name == name), None)

    async def address(
        self,
        fqdn: str,
        *,
        name: str,
        admits: Callable[[IPv4Address], bool],
        port: Callable[[], int | None],
    ) -> Address:
        """A listening address with a certificate for this name."""
        certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(fqdn).configure_cert(certificate)

        def first_admitted() -> None:
            self.truth.record("admitted", server=name, port=port())

        route = Route(admits, port, self.config.lies.about(name), first_admitted, certificate)
        address = Address(route)
        await address.open()
        self._addresses.append(address)
        return address

    async def be_born_old(self, cluster: Cluster, wanted: ServerConfig) -> None:
        """A server with `zep` in it, a first backup, its archive and its application."""
        login = Administrator(wanted.administrator_login, wanted.administrator_password)
        template = self._template.cluster(wanted.index)
        await cluster.be_born(template, login, self._own_numbers(cluster.name))
        await cluster.keep_cold_backup(template)
        await cluster.start()
        await cluster.archive.switch(cluster.postgres, why="birth")  # an old server has archived something
        self._archive_regularly(cluster)
        if wanted.traffic == "busy":
            rate = SEGMENT_BYTES / self.time.wall_s(_BUSY_SEGMENT_EVERY_SERVICE_S)
            cluster.keep_doing(write_to_zep(cluster.postgres, login, bytes_per_s=rate))

    async def create_empty(self, cluster: Cluster, login: Administrator) -> None:
        """A new server without a database of its own."""
        await cluster.be_born(self._template.cluster("empty"), login, self._own_numbers(cluster.name))
        await cluster.start()
        self._archive_regularly(cluster)

    def restore(self, source: Cluster, *, asked: datetime) -> Restore:
        """Begin a restore: what it may read is decided here and now."""
        lies = self.config.lies.about(source.name)
        return Restore(source, asked=asked, latest_means=self.config.latest_means, lies=lies, time=self.time)

    def keep(self, cluster: Cluster, *, noted: Callable[[datetime], None]) -> None:
        """Archive and back up a server from now on; `noted` hears of its first backup."""
        self._archive_regularly(cluster)
        self.back_up_later(cluster, noted=noted)

    def back_up_later(self, cluster: Cluster, *, noted: Callable[[datetime], None]) -> None:
        """Take the first backup some minutes of service time from now, then one a day."""
        first_s = self._own_numbers(f"{cluster.name}/backup").uniform(*_FIRST_BACKUP_SERVICE_S)
        cluster.keep_doing(self._back_up(cluster, first_s, noted))

    async def retire(self, cluster: Cluster, address: Address | None) -> None:
        """End a server for good."""
        if address is not None:
            await address.close()
            self._addresses.remove(address)
        self._clusters.remove(cluster)
        await cluster.stop(remove=True)

    async def stop(self) -> None:
        """End everything; the state folder is removed by its owner."""
        await asyncio.gather(*(address.close() for address in self._addresses))
        await asyncio.gather(*(cluster.stop() for cluster in self._clusters))

    def _archive_regularly(self, cluster: Cluster) -> None:
        """Switch by the twin's clock, from a phase that the seed decides."""
        every_s = self.time.wall_s(self.config.archive_every_s)
        phase_s = self._own_numbers(f"{cluster.name}/archive").uniform(0, every_s)
        self.truth.record("archive_clock", server=cluster.name, every_s=every_s, first_after_s=phase_s)
        cluster.keep_doing(
            cluster.archive.switch_regularly(cluster.postgres, every_s=every_s, phase_s=phase_s)
        )

    async def _back_up(self, cluster: Cluster, first_s: float, noted: Callable[[datetime], None]) -> None:
        await self.time.sleep(first_s)
        while True:
            await cluster.keep_backup()
            noted(cluster.backups[0].usable_from)
            await self.time.sleep(_BACKUP_EVERY_SERVICE_S)

    def _own_numbers(self, purpose: str) -> random.Random:
        """Random numbers that depend on the seed and the purpose, not on what else happened before."""
        return random.Random(f"{self.config.seed}/{purpose}")


def _minor_version(template: Template) -> str:
    printed = subprocess.run(
        [template.programs.folder / "postgres", "-V"], capture_output=True, text=True, check=True
    )
    found = re.search(r"16\.(\d+)", printed.stdout)
    return found.group(1) if found else "0"

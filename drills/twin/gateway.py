"""How does a client reach a server, and when does it not?

    client ──TLS──▶ address of the server ──▶ its PostgreSQL
                     │  no rule admits the client: silence, until the client gives up
                     │  no encryption asked for: refused in PostgreSQL's words
                     │  PostgreSQL is not there: the connection is reset

The address, a port on loopback, stays the same for as long as the server exists; what it leads to may change.
The messages at the start of a connection are PostgreSQL's: https://www.postgresql.org/docs/16/protocol-flow.html
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from drills.twin.lies import Lies

_LOG = logging.getLogger(__name__)

_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
_LONGEST_STARTUP = 10_000  # PostgreSQL's own limit, MAX_STARTUP_PACKET_LENGTH
_COMMITTING = (b"INSERT", b"UPDATE", b"DELETE", b"COMMIT", b"MERGE")


@dataclass(slots=True)
class Route:
    """What an address does with a connection that arrives now; its owner changes the fields as things happen."""

    admits: Callable[[IPv4Address], bool]
    port: Callable[[], int | None]
    lies: Lies
    first_admitted: Callable[[], None]
    certificate: ssl.SSLContext
    connections: int = 0
    writes: int = 0


class Address:
    """The address of one server. `port` is its port on loopback."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.BaseTransport] = set()

    async def open(self) -> None:
        """Begin to listen, on a port that stays ours."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Greeting(self), "127.0.0.1", 0, backlog=512)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._listener is not None:
            self._listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Reset every connection that is open."""
        for transport in list(self._open):
            reset(transport)

    def keep(self, transport: asyncio.BaseTransport) -> None:
        """Remember an open connection."""
        self._open.add(transport)

    def forget(self, transport: asyncio.BaseTransport | None) -> None:
        """A connection has ended."""
        if transport is not None:
            self._open.discard(transport)


def reset(transport: asyncio.BaseTransport) -> None:
    """Cut a connection so that the peer sees a reset, not an orderly end."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class _Greeting(asyncio.Protocol):
    """The start of a connection, up to the point where only bytes have to be passed on."""

    def __init__(self, address: Address, *, encrypted: bool = False) -> None:
        self._address = address
        self._encrypted = encrypted
        self._received = b""
        self._silent = False
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream has no other kind
        self._transport = transport
        self._address.keep(transport)
        peer = IPv4Address(transport.get_extra_info("peername")[0])
        self._silent = not self._address.route.admits(peer)
        self._read()

    def data_received(self, data: bytes) -> None:
        self._received += b"" if self._silent else data
        self._read()

    def _read(self) -> None:
        """Look at what has arrived; under TLS some of it may have arrived before `connection_made`."""
        if self._silent or len(self._received) < 8 or self._transport is None or self._task is not None:
            return
        length, code = struct.unpack("!II", self._received[:8])
        if code == _GSS_REQUEST:
            self._received = self._received[8:]
            self._transport.write(b"N")
            self._read()
        elif code == _SSL_REQUEST and not self._encrypted:
            self._received = b""
            self._transport.write(b"S")
            self._task = asyncio.create_task(self._encrypt(self._transport))
        elif not 8 <= length <= _LONGEST_STARTUP:
            reset(self._transport)
        elif len(self._received) >= length:
            self._begin(self._transport, code, length)

    def connection_lost(self, exc: Exception | None) -> None:
        self._address.forget(self._transport)

    def _begin(self, transport: asyncio.Transport, code: int, length: int) -> None:
        if not self._encrypted and code != _CANCEL_REQUEST:
            transport.write(_refusal_without_encryption(transport, self._received[8:length]))
            transport.close()
            return
        self._task = asyncio.create_task(self._connect(transport))

    async def _encrypt(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        inside = _Greeting(self._address, encrypted=True)
        try:
            encrypted = await loop.start_tls(
                transport,
                inside,
                self._address.route.certificate,
                server_side=True,
                ssl_handshake_timeout=10.0,
            )
        except (OSError, ssl.SSLError) as failed:
            _LOG.debug("TLS handshake failed: %s", failed)
            self._address.forget(transport)
            return
        self._address.forget(transport)
        if encrypted is not None:
            inside.connection_made(encrypted)

    async def _connect(self, transport: asyncio.Transport) -> None:
        """Open the way to PostgreSQL and step aside."""
        route = self._address.route
        port = route.port()
        try:
            if port is None:
                raise ConnectionRefusedError("no PostgreSQL behind this address")
            loop = asyncio.get_running_loop()
            to_client = _Pipe(self._address, transport)
            listens = route.lies.may_drop_answers()
            to_client.answers = _Answers(self._address, transport) if listens else None
            server, _ = await loop.create_connection(lambda: to_client, "127.0.0.1", port)
        except OSError as refused:
            _LOG.debug("not passed on: %s", refused)
            reset(transport)
            return
        if transport.is_closing():
            server.abort()
            return
        route.connections += 1
        if route.connections == 1:
            route.first_admitted()
        to_server = _Pipe(self._address, server)
        transport.set_protocol(to_server)
        to_server.connection_made(transport)
        server.write(self._received)


class _Pipe(asyncio.Protocol):
    """Passes what it receives on to the other side, no faster than that side takes it."""

    def __init__(self, address: Address, other: asyncio.Transport) -> None:
        self._address = address
        self._other = other
        self._mine: asyncio.Transport | None = None
        self.answers: _Answers | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a stream has no other kind
        self._mine = transport
        self._address.keep(transport)

    def data_received(self, data: bytes) -> None:
        if self.answers is not None:
            data = self.answers.pass_on(data)
        if data and not self._other.is_closing():
            self._other.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._address.forget(self._mine)
        if self._other.is_closing():
            return
        if exc is None:
            self._other.close()
        else:
            reset(self._other)

    def pause_writing(self) -> None:
        self._reading(self._other, wanted=False)

    def resume_writing(self) -> None:
        self._reading(self._other, wanted=True)

    @staticmethod
    def _reading(transport: asyncio.Transport, *, wanted: bool) -> None:
        if transport.is_closing():
            return
        if wanted:
            transport.resume_reading()
        else:
            transport.pause_reading()


class _Answers:
    """Reads along what a server answers, and loses the answer to a committed write when a lie says so.

    Messages are held until the server is ready for the next statement; "ready, and not inside a transaction" after a
    command that writes means that it is committed.
    """

    def __init__(self, address: Address, client: asyncio.Transport) -> None:
        self._address = address
        self._client = client
        self._unread = b""
        self._held = b""
        self._wrote = False

    def pass_on(self, data: bytes) -> bytes:
        """What may go to the client now."""
        self._unread += data
        released = b""
        while len(self._unread) >= 5:
            end = 1 + int.from_bytes(self._unread[1:5], "big")
            if len(self._unread) < end:
                break
            message, self._unread = self._unread[:end], self._unread[end:]
            self._held += message
            if message[:1] == b"C" and message[5:].startswith(_COMMITTING):
                self._wrote = True
            if message[:1] in b"ZRGWS" or len(self._held) > 65_536:
                if self._is_lost(message):
                    reset(self._client)
                    return b""
                released, self._held = released + self._held, b""
        return released

    def _is_lost(self, message: bytes) -> bool:
        if message[:1] != b"Z" or message[5:6] != b"I" or not self._wrote:
            return False
        self._wrote = False
        route = self._address.route
        route.writes += 1
        return route.lies.drops_answer(route.writes)


def _refusal_without_encryption(transport: asyncio.Transport, startup: bytes) -> bytes:
    """FATAL 28000 with the words that PostgreSQL has for it."""
    words = startup.split(b"\0")
    asked = dict(zip(words[0::2], words[1::2], strict=False))
    user = asked.get(b"user", b"").decode(errors="replace")
    database = asked.get(b"database", asked.get(b"user", b"")).decode(errors="replace")
    host = transport.get_extra_info("peername")[0]
    message = f'no pg_hba.conf entry for host "{host}", user "{user}", database "{database}", no encryption'
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": message}
    body = b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body

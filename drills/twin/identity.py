"""How does a server copied from the template become a server of its own?

Clusters made from one template would share its system identifier, and a client that tells servers apart by it would
take two strangers for relatives. So a fresh copy gets an identifier of its own: the first eight bytes of `pg_control`,
whose checksum is renewed, and the same eight bytes in the first page of each segment of its write-ahead log, which
has none. (pg_resetwal would do the latter too, but waits for the disk.) Restored copies keep their source's
identifier, as on the service, where a restore is physical too.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path

from drills.twin.errors import PostgresFailed

# XLogLongPageHeaderData, PostgreSQL 16: 24 bytes that every page begins with, then the identifier.
_IDENTIFIER_IN_SEGMENT = 24


def give_own_identity(data: Path, numbers: random.Random) -> None:
    """Change the system identifier of a cluster that was shut down properly."""
    identifier = struct.pack("<Q", numbers.getrandbits(63))
    control = data / "global/pg_control"
    content = bytearray(control.read_bytes())
    length = _length_of_checked_part(content)
    content[0:8] = identifier
    content[length : length + 4] = struct.pack("<I", crc32c(content[:length]))
    control.write_bytes(content)
    for segment in (data / "pg_wal").iterdir():
        if segment.is_file():
            with segment.open("r+b") as file:
                file.seek(_IDENTIFIER_IN_SEGMENT)
                file.write(identifier)


def crc32c(content: bytes | bytearray) -> int:
    """The Castagnoli checksum that PostgreSQL puts on its control file."""
    value = 0xFFFFFFFF
    for byte in content:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE = [_table_entry(value) for value in range(256)]


def _length_of_checked_part(content: bytearray) -> int:
    """Where the checksum lies: behind the fields, whose size differs between versions of PostgreSQL."""
    for length in range(200, 512, 4):
        if struct.unpack_from("<I", content, length)[0] == crc32c(content[:length]):
            return length
    raise PostgresFailed("pg_control does not hold a checksum where PostgreSQL 16 writes one")

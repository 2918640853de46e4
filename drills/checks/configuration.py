"""Is the source configured as the profile declares, and did the recovered server come back like that?

               declared            source before       recovered server after
size           D2s_v3 or higher    D4s_v3              D4s_v3
redundancy     ZoneRedundant       ZoneRedundant       Disabled: a restore drops it, the service says so
retention      35 days             7 days              drift: failed
"""

from __future__ import annotations

from collections.abc import Iterator

from drills.checks.wording import joined, moment
from drills.history import History, Recovery
from drills.history.observed import named
from drills.model import (
    ConfigurationDeclared,
    Finding,
    Json,
    Objectives,
    ServerDescribed,
    SettingsRead,
    Status,
)

NEWEST_ONLY = "only data of the newest minutes was restored, not of the whole retention"
STALE_BACKUP_US = 48 * 3600 * 1_000_000
"""Age of the newest automatic backup beyond which it is worth a sentence: days without a change are skipped."""
_DAY_US = 24 * 3600 * 1_000_000
_TIERS = ("burstable", "generalpurpose", "memoryoptimized")
_TLS = ("tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3")

Seen = tuple[str, bool | None, object, object]
"""What was compared, whether it is as declared (None: not shown), what was declared, and what was seen."""


def the_configuration_is_as_declared(history: History, _: Objectives) -> Finding:
    """Source and recovered server are configured as the profile declares.

    Size, version, storage, redundancy, retention, TLS, extensions and index; the recovered server less what the
    service documents that a restore drops. Backups reach back as far as the retention promises.
    """
    declared = history.declared
    if declared is None:
        return _finding(Status.INCONCLUSIVE, "the record does not say what the profile declares")
    compared = tuple(_compared(history, declared))
    faults = [
        f"{what}: declared {wanted}, seen {seen}" for what, fits, wanted, seen in compared if fits is False
    ]
    reach = _reach(history)
    if reach is False:
        faults.append("the earliest restore point is later than the retention promises")
    notes = tuple(_notes(history))
    measured: dict[str, Json] = {"compared": len(compared), "drifted": len(faults)}
    if faults:
        return _finding(Status.FAILED, joined((*faults, *notes)), measured)
    unseen = [what for what, fits, _, _ in compared if fits is None]
    if unseen:
        return _finding(Status.INCONCLUSIVE, joined((f"not shown: {', '.join(unseen)}", *notes)), measured)
    return _finding(
        Status.PASSED, joined((f"{len(compared)} settings are as declared", *notes, NEWEST_ONLY)), measured
    )


def _compared(history: History, declared: ConfigurationDeclared) -> Iterator[Seen]:
    before, after = history.description_before, history.description_after
    yield from _of_server("source", declared, before)
    yield from _redundancy("source", declared, before)
    yield from _of_database("source", declared, _settings(history, after_recovery=False))
    yield from _of_server("recovered", declared, after)
    if history.recovery in (Recovery.FAILOVER, Recovery.REPAIR):  # the source itself: nothing may be dropped
        yield from _redundancy("recovered", declared, after)
    yield from _of_database("recovered", declared, _settings(history, after_recovery=True))


def _of_server(side: str, declared: ConfigurationDeclared, seen: ServerDescribed | None) -> Iterator[Seen]:
    if seen is None:
        yield f"{side} server", None, None, None
        return
    yield f"{side} size", _size_fits(declared, seen), declared.sku, seen.sku
    version = None if seen.version is None else seen.version.split(".")[0]
    yield f"{side} version", _same(version, str(declared.version)), declared.version, seen.version
    storage = seen.storage_gb
    enough = storage is not None and storage >= declared.storage_gb
    fits = None if storage is None else enough if declared.storage_or_more else storage == declared.storage_gb
    yield f"{side} storage (GB)", fits, declared.storage_gb, storage
    days = declared.backup_retention_days
    yield f"{side} retention (days)", _same(seen.retention_days, days), days, seen.retention_days


def _redundancy(side: str, declared: ConfigurationDeclared, seen: ServerDescribed | None) -> Iterator[Seen]:
    """What a restore drops: high availability is off afterwards, and geo-redundancy is what was asked for."""
    if seen is None:
        return
    mode = seen.high_availability
    same = _same(None if mode is None else mode.lower(), declared.high_availability.lower())
    yield f"{side} high availability", same, declared.high_availability, mode
    geo = seen.geo_redundant_backup
    yield (
        f"{side} geo-redundant backup",
        _same(geo, declared.geo_redundant_backup),
        declared.geo_redundant_backup,
        geo,
    )


def _of_database(side: str, declared: ConfigurationDeclared, seen: SettingsRead | None) -> Iterator[Seen]:
    if seen is None:
        yield f"{side} database settings", None, None, None
        return
    yield (
        f"{side} minimum TLS",
        _tls_fits(declared.minimum_tls, seen.minimum_tls),
        declared.minimum_tls,
        seen.minimum_tls,
    )
    missing = sorted(set(declared.extensions) - set(seen.extensions))
    yield f"{side} extensions", not missing, ", ".join(declared.extensions), ", ".join(seen.extensions)
    index = declared.vector_index
    yield f"{side} vector index", _same(seen.vector_index, index), index, seen.vector_index


def _same(seen: object, declared: object) -> bool | None:
    return None if seen is None else seen == declared


def _size_fits(declared: ConfigurationDeclared, seen: ServerDescribed) -> bool | None:
    """The declared size, or a higher one where the profile allows it: tier, cores and memory not lower."""
    if seen.sku is None:
        return None
    if seen.sku.lower() == declared.sku.lower():
        return _same(None if seen.tier is None else seen.tier.lower(), declared.tier.lower())
    if not declared.sku_or_higher:
        return False
    if seen.tier is None or seen.vcores is None or seen.memory_gb is None:
        return None
    if seen.tier.lower() not in _TIERS:
        return None
    higher = _TIERS.index(seen.tier.lower()) >= _TIERS.index(declared.tier.lower())
    return higher and seen.vcores >= declared.vcores and seen.memory_gb >= declared.memory_gb


def _tls_fits(declared: str, seen: str | None) -> bool | None:
    if seen is None or seen.lower() not in _TLS:
        return None
    return _TLS.index(seen.lower()) >= _TLS.index(f"tlsv{declared}")


def _settings(history: History, *, after_recovery: bool) -> SettingsRead | None:
    struck, good = history.disaster, history.first_good
    if struck is None:
        return None
    if after_recovery:
        name = history.recovered_name
        found = [s for s in history.settings if named(s.server, name) and good and s.began > good.began]
    else:
        name = history.source_name
        found = [s for s in history.settings if named(s.server, name) and s.ended <= struck.earliest]
    return max(found, key=lambda s: s.began, default=None)


def _reach(history: History) -> bool | None:
    """Tell whether backups of the source reach back as far as its retention; None where it does not say."""
    seen = history.description_before
    if seen is None or seen.earliest_restore_us is None or seen.retention_days is None:
        return None
    now_s = history.utc_s(seen.ended)
    if now_s is None:
        return None
    promised_us = now_s * 1e6 - (seen.retention_days - 1) * _DAY_US
    born_us = promised_us if seen.created_us is None else max(promised_us, seen.created_us)
    return seen.earliest_restore_us <= born_us


def _notes(history: History) -> Iterator[str]:
    if _reach(history) is None:
        yield "the source does not say how far back it can be restored"
    listed = [b for b in history.backups if named(b.server, history.source_name)]
    newest = max(listed, key=lambda b: b.began, default=None)
    now_s = None if newest is None else history.utc_s(newest.ended)
    if newest is None:
        yield "nobody listed the source's automatic backups"
    elif newest.newest_us is None:
        yield "the source lists no automatic backup"
    elif now_s is not None and now_s * 1e6 - newest.newest_us > STALE_BACKUP_US:
        yield f"the newest automatic backup is of {moment(newest.newest_us)}, more than 48 h old"


def _finding(status: Status, summary: str, measured: dict[str, Json] | None = None) -> Finding:
    return Finding(the_configuration_is_as_declared.__name__, status, summary, measured or {})

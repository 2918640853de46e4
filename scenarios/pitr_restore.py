"""The primary and its data are lost: restore to a point in time, into a new server.

Disaster: the primary and everything on its disks are lost now. What is left is what the service has archived.
Recovery: point-in-time restore into a new server of the drill's own resource group: to the latest that there is
    (`latest`), or to a whole second inside the stream of writes (`chosen`), as after a mistake whose time is known.
Proof: numbered markers that a client was promised, before and after the point; two surveys of the new server;
    nonces that stand on the new server and not on the source.
Measures: latest: RPO from the markers that are gone and from what was archived when the disaster struck.
    chosen: whether the restore ended at the point, on both sides. Both: RTO, until a new client's write is read back.
Costs: one more server of the source's size for the time of the drill; ten small writes a second on the source.
"""

from __future__ import annotations

from drills.scenario import Drill, scenario


@scenario(variants=("latest", "chosen"), leg="pitr")
def pitr_restore(drill: Drill) -> None:
    """Lose the primary, restore it elsewhere, and watch until a client can use it."""
    drill.prepare_source()

    with drill.markers_and_archive_watched():
        drill.watch_source()

        if drill.variant == "chosen":
            point_us = drill.choose_point()
            drill.wait_until_archived_past(point_us)
            drill.restore(point_us)
        else:
            drill.restore()

    drill.open_network()
    drill.wait_for_write()
    drill.survey_recovered()
    drill.query_by_vector_index()
    drill.prove_by_source()

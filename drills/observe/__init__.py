"""The data plane, seen as a client sees it: connections, markers, probes, archive, surveys, vectors."""

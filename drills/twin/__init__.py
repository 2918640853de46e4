"""A local twin of Azure Database for PostgreSQL Flexible Server.

It speaks the REST API of the resource provider over TLS, and each of its servers is a real PostgreSQL 16 with
pgvector. It shares no code with the rest of the product, so that neither can hide the other's mistakes.
Start it with ``python -m drills.twin --config FILE``.
"""

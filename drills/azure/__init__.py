"""The control plane: credentials, the management client, operations, servers, ownership."""

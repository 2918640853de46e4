"""One disaster a file; each reads like the runbook that it is."""

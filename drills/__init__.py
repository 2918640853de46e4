"""Drills that prove recovery. Importing the package imports nothing else: `drills --help` stays quick."""

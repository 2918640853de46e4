"""What does a finished run prove? One question a file, each a pure function (History, Objectives) -> Finding.

A check is named by the sentence that is true when it passes, and the first line of its docstring is its caption
in the report. It judges what was recorded and nothing else: it reads no clock, opens no file and asks nobody.
`drills.checks.required` says which of them a scenario needs, and `drills.verdict` runs them.
"""

"""What can one type after `drills`? Each file here is one command; its name is the command's.

A command says three things and imports whatever is heavy inside `run`, so that `drills --help` answers at once:

    SUMMARY = "one line for drills --help"
    def add_arguments(parser: argparse.ArgumentParser) -> None: ...
    def run(args: argparse.Namespace) -> int: ...       # an exit code; drills/cli.py prints what is raised

The docstring of the file is the text of `drills <command> --help`. A file whose name begins with `_` is no command.
"""

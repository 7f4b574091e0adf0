"""The command line: one file a group of commands."""

import sys

import typer

from fercourse.cli import course, data, explain, faces, ledger, plan, run
from fercourse.errors import FercourseError

app = typer.Typer(
    name="fercourse",
    help="Facial expression recognition, from one paper's equations to a trained model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(course.app, name="course")
app.add_typer(data.app, name="data")
app.add_typer(faces.app, name="faces")
app.add_typer(ledger.app, name="ledger")
app.add_typer(explain.app, name="explain")
for command in (
    run.train, run.evaluate, run.predict, run.demo, run.doctor, plan.run, plan.cost,
):  # fmt: skip
    app.command()(command)


STOPPED = 130
"""What typer makes of Ctrl-C: an exit code, and no exception."""


def main() -> None:
    """Run a command; bad input is one sentence on stderr and exit code 1, never a traceback."""
    try:
        app()
    except FercourseError as error:
        print(f"fercourse: {error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if end.code == STOPPED:
            print("fercourse: stopped; a training goes on from its last epoch with the same "
                  "command.", file=sys.stderr)  # fmt: skip
        raise

"""The command line: one file a command, or a group of them."""

import errno
import os
import sys
import warnings
from pathlib import Path

import typer

from fercourse.cli import course, data, explain, faces, ledger
from fercourse.cli.cost import cost
from fercourse.cli.demo import demo
from fercourse.cli.doctor import doctor
from fercourse.cli.evaluate import evaluate
from fercourse.cli.export import calibrate, export
from fercourse.cli.predict import predict
from fercourse.cli.run import run
from fercourse.cli.shallow import shallow
from fercourse.cli.train import train
from fercourse.cli.weather import weather
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
    train,
    evaluate,
    predict,
    calibrate,
    export,
    demo,
    doctor,
    run,
    shallow,
    weather,
    cost,
):
    app.command()(command)


STOPPED = 130
"""What typer makes of Ctrl-C: an exit code, and no exception."""

_NO_MEMORY = ("out of memory", "allocate memory", "ALLOC_FAILED")
"""In torch's RuntimeErrors: CUDA's, the CPU's, and those of cuBLAS and cuDNN."""


def main() -> None:
    """Run a command; bad input is one sentence on stderr and exit code 1, never a traceback."""
    shown, warnings.formatwarning = warnings.formatwarning, _warning
    try:
        app()
    except FercourseError as error:
        _end(error)
    except BrokenPipeError:  # who reads has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _end(_told(error))
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(w in str(error) for w in _NO_MEMORY):
            raise
        _end(
            "There is not enough memory: take a smaller batch (--set train.batch_size=64), size "
            "or count, or close other programs."
        )
    except SystemExit as end:
        if end.code == STOPPED:
            print(
                "fercourse: stopped; a training goes on from its last epoch with the same command.",
                file=sys.stderr,
            )
        raise
    finally:
        warnings.formatwarning = shown


def _end(sentence: object) -> None:
    print(f"fercourse: {sentence}", file=sys.stderr)
    sys.exit(1)


def _told(error: OSError) -> str:
    """What the system refused, with the file and what to do."""
    path = error.filename2 or error.filename or "A file"
    if error.errno == errno.ENOSPC:
        return f"{path} could not be written: the disk is full. Make room, and run it again."
    in_the_way = "there is a file where a folder is needed; name another"
    advice = {
        FileExistsError: in_the_way,
        NotADirectoryError: in_the_way,
        IsADirectoryError: "that is a folder where a file is needed; name a file",
        PermissionError: "it may not be read or written by you; name another",
        FileNotFoundError: "there is no such file",
    }
    return f"{path}: {advice.get(type(error), error.strerror or error)}."


def _warning(message: object, category: type, filename: str, *rest: object) -> str:
    """Our own warnings without the line of code they come from."""
    ours = Path(__file__).parents[1] in Path(filename).parents
    return f"fercourse: {message}\n" if ours else f"{filename}: {category.__name__}: {message}\n"

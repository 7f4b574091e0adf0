"""The one exception a user is meant to read: what was wrong, where, and what to do."""


class FercourseError(ValueError):
    """Bad input, told in one sentence. The command line prints it without a traceback."""

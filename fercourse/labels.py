"""One label order for every data set: FER2013's, with contempt (CK+ only) behind it."""

from enum import IntEnum
from numbers import Real

from fercourse.errors import FercourseError


class Expression(IntEnum):
    """A facial expression; its value is the class index of every model and data set here."""

    ANGRY = 0
    DISGUST = 1
    FEAR = 2
    HAPPY = 3
    SAD = 4
    SURPRISE = 5
    NEUTRAL = 6
    CONTEMPT = 7  # annotated in CK+ alone; dropped by the paper and by default

    @property
    def title(self) -> str:
        """The name as figures print it: ``Expression.ANGRY.title == "Angry"``."""
        return self.name.capitalize()

    @classmethod
    def parse(cls, name: "str | int | Expression") -> "Expression":
        """Return the expression a data set's own word, or its index, stands for.

        >>> Expression.parse("sadness")
        <Expression.SAD: 4>

        Raises:
            FercourseError: The word is nobody's name for an expression.
        """
        if isinstance(name, str):
            found = _SYNONYMS.get(name.strip().lower())
            if found is not None:
                return found
        elif isinstance(name, Real) and name in cls._value2member_map_:
            return cls(name)
        known = ", ".join(e.name.lower() for e in cls)
        raise FercourseError(f"{name!r} is not an expression; use one of {known}.")


BASIC: tuple[Expression, ...] = tuple(Expression)[:7]
"""The seven classes of the paper, in label order."""

_SYNONYMS: dict[str, Expression] = {e.name.lower(): e for e in Expression} | {
    "anger": Expression.ANGRY,
    "disgusted": Expression.DISGUST,
    "fearful": Expression.FEAR,
    "afraid": Expression.FEAR,
    "happiness": Expression.HAPPY,
    "joy": Expression.HAPPY,
    "sadness": Expression.SAD,
    "surprised": Expression.SURPRISE,
}

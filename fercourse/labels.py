"""One label order for every data set: FER2013's, with contempt (CK+ only) behind it."""

import re
from difflib import get_close_matches
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

        Numbers and words such as "images" around it do not matter: "0_angry", "sad_faces".

        >>> Expression.parse("sadness")
        <Expression.SAD: 4>

        Raises:
            FercourseError: The word is nobody's name for an expression.
        """
        near = "; use"
        if isinstance(name, str):
            words = [w for w in re.findall(r"[^\W\d_]+", name.lower()) if w not in _FILLERS]
            if len(words) == 1 and words[0] in _SYNONYMS:
                return _SYNONYMS[words[0]]
            close = get_close_matches("".join(words), _SYNONYMS, 1, 0.75)
            near = f": did you mean {close[0]!r}? Use" if close else near
        elif isinstance(name, Real) and name in cls._value2member_map_:
            return cls(name)
        known = ", ".join(e.name.lower() for e in cls)
        raise FercourseError(f"{name!r} is not an expression{near} one of {known}.")


BASIC: tuple[Expression, ...] = tuple(Expression)[:7]
"""The seven classes of the paper, in label order."""

_SYNONYMS: dict[str, Expression] = {
    word: expression
    for expression, words in {
        Expression.ANGRY: "angry anger ang an mad",
        Expression.DISGUST: "disgust disgusted disgusting di",
        Expression.FEAR: "fear fearful afraid scared scare fe",
        Expression.HAPPY: "happy happiness joy joyful smile smiling ha",
        Expression.SAD: "sad sadness unhappy sa",
        Expression.SURPRISE: "surprise surprised surprising suprise suprised su",
        Expression.NEUTRAL: "neutral neutrality natural calm ne",
        Expression.CONTEMPT: "contempt contemptuous",
    }.items()
    for word in words.split()
}
"""What data sets call the expressions, misspellings that are on every disk included."""

_FILLERS = {
    *("emotion", "emotions", "expression", "expressions", "face", "faces", "class", "label"),
    *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures"),
}
"""What stands beside a name: "angry_images"."""


def expression_in(name: str) -> Expression | None:
    """The one expression that a file's name has a word for: "S010_17_anger.png"; else None."""
    words = re.findall(r"[^\W\d_]{3,}", name.lower())
    found = {_SYNONYMS[word] for word in words if word in _SYNONYMS}
    return found.pop() if len(found) == 1 else None


ORDERS: dict[str, dict[int, Expression]] = {
    name: dict(enumerate(map(Expression.parse, words.split()), start))
    for name, start, words in (
        ("fer2013", 0, "angry disgust fear happy sad surprise neutral contempt"),
        ("affectnet", 0, "neutral happy sad surprise fear disgust angry contempt"),
        ("rafdb", 1, "surprise fear disgust happy sad angry neutral"),
        ("ferplus", 0, "neutral happy surprise sad angry disgust fear contempt"),
        ("ckplus", 0, "neutral angry contempt disgust fear happy sad surprise"),
    )
}
"""What numbers stand for where classes are numbered, by whose order it is."""


def stated_order(text: str) -> dict[int, Expression]:
    """An order that a user states: a name in :data:`ORDERS`, or names of expressions, from 0.

    >>> stated_order("happy,sad")[1]
    <Expression.SAD: 4>

    Raises:
        FercourseError: It is neither, or names an expression twice.
    """
    key = re.sub(r"[^a-z0-9]", "", text.lower())
    if key in ORDERS:
        return ORDERS[key]
    names = [name for name in text.split(",") if name.strip()]
    if len(names) < 2:
        raise FercourseError(
            f"An order of classes is one of {', '.join(ORDERS)}, or names from class 0 on, such "
            f"as neutral,happy,sad; not {text!r}."
        )
    found = [Expression.parse(name) for name in names]
    if len(set(found)) < len(found):
        raise FercourseError(f"The order {text!r} names an expression twice.")
    return dict(enumerate(found))

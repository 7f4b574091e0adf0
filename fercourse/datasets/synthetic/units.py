"""Facial action units, and which of them make an expression.

Units follow the Facial Action Coding System: P. Ekman, W. V. Friesen, J. C. Hager, "Facial Action
Coding System", 2nd edition, 2002. The prototypes are those of EMFACS (W. V. Friesen, P. Ekman,
"EMFACS-7: Emotional Facial Action Coding System", 1983). The units that only some people add are
those S. Du, Y. Tao and A. M. Martinez saw in a part of their subjects ("Compound facial
expressions of emotion", PNAS 111(15), 2014, table 1), and the chances here are rough.
"""

from fercourse.labels import Expression

UNIT_NAMES: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    16: "lower lip depressor",
    17: "chin raiser",
    20: "lip stretcher",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    43: "eyes closed",
}
UNITS: tuple[int, ...] = tuple(UNIT_NAMES)
"""The action units drawn here; bit k of a mask stands for ``UNITS[k]``."""

PROTOTYPES: dict[Expression, tuple[int, ...]] = {
    Expression.ANGRY: (4, 5, 7, 23),
    Expression.DISGUST: (9, 15, 16),
    Expression.FEAR: (1, 2, 4, 5, 7, 20, 26),
    Expression.HAPPY: (6, 12),
    Expression.SAD: (1, 4, 15),
    Expression.SURPRISE: (1, 2, 5, 26),
    Expression.NEUTRAL: (),
    Expression.CONTEMPT: (12, 14),
}
"""The units each expression is known by (EMFACS)."""

SOMETIMES: dict[Expression, dict[int, float]] = {
    Expression.ANGRY: {9: 0.2, 10: 0.35, 17: 0.3, 24: 0.3, 25: 0.45, 26: 0.2, 27: 0.25},
    Expression.DISGUST: {4: 0.5, 6: 0.3, 7: 0.3, 10: 0.7, 17: 0.3, 25: 0.4},
    Expression.FEAR: {25: 0.6, 27: 0.15},
    Expression.HAPPY: {25: 0.75, 26: 0.3, 10: 0.15, 7: 0.2},
    Expression.SAD: {17: 0.5, 7: 0.35, 43: 0.25, 25: 0.2, 20: 0.15, 6: 0.2},
    Expression.SURPRISE: {25: 0.7, 27: 0.45},
    Expression.NEUTRAL: {25: 0.12, 43: 0.04},
    Expression.CONTEMPT: {},
}
"""Units that join in some faces, and how often."""

WITH: tuple[tuple[int, int], ...] = ((26, 27), (23, 25), (24, 25), (23, 27), (24, 27), (17, 27))
"""Pairs that do not go together: the first yields to the second."""

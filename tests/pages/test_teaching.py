"""The teacher's tables are what the lessons and their checks say."""

import re

from fercourse.course.build import read, sources
from fercourse.exercises import decoder, reverse
from fercourse.markdown import fill_tables
from fercourse.pages import teaching


def test_the_pages_are_as_the_lessons_are_now():
    text = teaching.TEACHING.read_text(encoding="utf-8")
    tables = {"lessons": teaching.lessons}
    assert fill_tables(text, tables, teaching.TEACHING) == text, "fercourse course map"
    written = teaching.WRONG.read_text(encoding="utf-8")
    assert teaching.wrong_answers() == written, "fercourse course map"


def test_every_exercise_has_wrong_answers_that_are_listed():
    for path in sources():
        for name, _, check in teaching.exercises_of(read(path)):
            said = teaching.sentences(check)
            assert len(said) >= 2, name
            assert check.__doc__.rstrip(".") not in " ".join(said), "docstrings are not said"


def test_a_checks_sentences_are_read_off_its_code():
    said = teaching.sentences(decoder.check_resize_like)
    verdict = decoder.check_resize_like(lambda x, partner: x)
    parts = [map(re.escape, sentence.split("…")) for sentence in said]
    assert any(re.search(".*".join(part), verdict.message) for part in parts)
    # Also those of a function that a check leaves the judging to:
    assert any("deep to shallow" in s for s in teaching.sentences(reverse.check_cascade))


def test_every_lesson_and_every_named_exercise_of_the_plans_exists():
    text = teaching.TEACHING.read_text(encoding="utf-8")
    for path in sources():
        assert f"({'../notebooks/' + path.stem}.ipynb)" in text
    longest = max(int(row.split("|")[2]) for row in text.splitlines() if row.startswith("| ["))
    assert longest < 120, "any figure is there in two minutes of the lecture mode"

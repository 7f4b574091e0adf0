import pytest

from fercourse.exercises import start


def by_numpy(answers, labels):
    return float((answers.numpy() == labels.numpy()).mean())


def by_loop(answers, labels):
    return sum(int(a == b) for a, b in zip(answers, labels, strict=True)) / len(labels)


@pytest.mark.parametrize("attempt", [start.accuracy, by_numpy, by_loop])
def test_right_accuracy_passes(attempt):
    verdict = start.check_accuracy(attempt)
    assert verdict, verdict


@pytest.mark.parametrize(
    ("attempt", "word"),
    [
        (lambda a, b: a == b, "summarise"),
        (lambda a, b: (a == b).float().mean(), ".item()"),
        (lambda a, b: (a == b).mean(), "stopped"),
        (lambda a, b: (a == b).sum().item(), "counted"),
        (lambda a, b: 100 * by_loop(a, b), "per cent"),
        (lambda a, b: 1 - by_loop(a, b), "wrong answers"),
        (lambda a, b: 0.123, "you say"),
        (lambda a, b: "0.7", "str"),
        (lambda a, b: (a == b).sum().item() / 40, "divide by N"),
        (lambda a, b: 1 - (a - b).abs().float().mean().item(), "you say"),
        (lambda a, b: (a == b).sum().item() // len(b), "a share of"),
    ],
)
def test_wrong_accuracy_gets_its_diagnosis(attempt, word):
    verdict = start.check_accuracy(attempt)
    assert not verdict
    assert word in verdict.message


def test_right_readings_pass():
    assert start.check_reading(start.reading)
    assert start.check_reading(lambda: dict(reversed(start.reading().items())))
    assert start.check_reading(lambda: {**start.reading(), "something else": "shown"})


@pytest.mark.parametrize("name", start.reading())
@pytest.mark.parametrize("kind", start.KINDS)
def test_each_wrong_reading_is_named(name, kind):
    verdict = start.check_reading(lambda: {**start.reading(), name: kind})
    if start.reading()[name] == kind:
        assert verdict
    else:
        assert not verdict
        assert name in verdict.message
        assert "?." not in verdict.message


@pytest.mark.parametrize(
    ("answer", "word"),
    [(None, "`return`"), ([], "dict"), ({}, "no answer"), ("maybe", "not one of")],
)
def test_malformed_readings_are_named(answer, word):
    answer = dict.fromkeys(start.reading(), answer) if isinstance(answer, str) else answer
    assert word in start.check_reading(lambda: answer).message

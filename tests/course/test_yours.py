"""A lesson goes on with the learner's function once it passes, and with ours until then."""

from fercourse.course import yours
from fercourse.exercises.decoder import check_resize_like, resize_like


def stub(x, partner):
    raise NotImplementedError("your turn")


def written(x, partner):
    return resize_like(x, partner)


def test_a_right_attempt_is_gone_on_with(capsys):
    assert yours(check_resize_like, written) is written
    said = capsys.readouterr().out
    assert said.startswith("✓")
    assert "runs on yours" in said


def test_a_wrong_one_is_told_why_and_ours_stands_in(capsys):
    assert yours(check_resize_like, lambda x, partner: x) is resize_like
    said = capsys.readouterr().out
    assert said.startswith("✗")
    assert "goes on with ours" in said


def test_a_stub_waits_and_the_lesson_does_not(capsys):
    assert yours(check_resize_like, stub) is resize_like
    assert "your turn" in capsys.readouterr().out


def test_our_own_function_is_not_praised_when_the_cell_runs_again(capsys):
    ours = yours(check_resize_like, stub)
    capsys.readouterr()
    assert yours(check_resize_like, ours) is resize_like
    said = capsys.readouterr().out
    assert "not yours" in said
    assert "✓" not in said

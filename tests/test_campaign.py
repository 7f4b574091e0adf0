"""A minute of the campaign: no damage to a file ends in a traceback, a hang or a wrong count."""

import campaign
import pytest


@pytest.mark.slow
def test_a_minute_of_damaged_files():
    found = list(campaign.trials(60))
    assert [trial for trial in found if trial["fault"]] == []
    assert len({trial["kind"] for trial in found}) == 7, "too few were tried to say anything"


def test_the_campaign_sees_what_it_is_there_to_see():
    """Each of its judgements can fail."""
    assert campaign.judged(2, "", 0) == "exit code 2: "
    assert "a traceback" in campaign.judged(1, "fercourse: x\nTraceback (most", 0)
    assert "no sentence" in campaign.judged(1, "", 0)
    assert "no sentence" in campaign.judged(1, "fercourse: x\nmore\n", 0)
    assert campaign.judged(0, "", 31) == "31 s"
    assert campaign.judged(1, "fercourse: a sentence.\n", 1) == ""
    total = 21 * campaign.EACH
    assert campaign.counted(f"read   {total} images, 0 skipped", lost=False) == ""
    assert "were read" in campaign.counted(f"read   {total + 1} images, 0 skipped", lost=True)
    assert "are gone" in campaign.counted(f"read   {total - 5} images, 1 skipped", lost=False)
    assert "does not say" in campaign.counted("nothing", lost=False)


def test_a_trial_is_told_by_its_number(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "250")
    bench = campaign.Bench(tmp_path)
    first, again = (bench.trial(7) for _ in range(2))
    assert {k: v for k, v in first.items() if k != "seconds"} == {
        k: v for k, v in again.items() if k != "seconds"
    }
    assert not list(tmp_path.glob("trial*"))

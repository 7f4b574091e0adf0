"""The table of the field: every entry has a source to look up, and none passes for ours."""

import re

import pytest

from fercourse.datasets import field
from fercourse.runs.ledger import Ledger

SOURCE = re.compile(r"^[A-Z].* (19|20)\d\d$")
LINK = re.compile(r"^(arXiv \d{4}\.\d{4,5}|doi 10\.\d+/\S+|whdeng\.cn/RAF)$")


@pytest.mark.parametrize("rows", [field.collections, field.networks, field.left_out])
def test_every_entry_names_its_source(rows):
    assert rows()
    for row in rows():
        assert SOURCE.match(row["source"]), row
        assert LINK.match(row["link"]), row


def test_networks_say_how_they_began_and_were_judged():
    for row in field.networks():
        assert 60 < row["accuracy"] < 80
        assert row["begins"]
        assert row["protocol"]
    assert all(row["why"] for row in field.left_out())


def test_people():
    people = field.people()
    assert 0.5 < people.accuracy < 0.8
    assert 0 < people.error < people.accuracy
    assert SOURCE.match(people.source.replace(" et al.", ""))


def test_nothing_of_it_is_in_the_ledger():
    said = [row.test_accuracy for row in Ledger().claims()]
    claimed = {round(100 * accuracy, 2) for accuracy in said if accuracy is not None}
    assert claimed
    assert not claimed & {row["accuracy"] for row in field.networks()}

"""README's first screen and docs/results.md: the finding, its pictures, the tables behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fercourse.course.door import address, badges
from fercourse.datasets.registry import known
from fercourse.files import write_if_changed
from fercourse.markdown import fill, table
from fercourse.pages.does_it_look import in_short
from fercourse.pages.one_field import FIELDS
from fercourse.pages.photographs import calibrated, photograph_record
from fercourse.pages.picture import save_if_changed
from fercourse.pages.results import report
from fercourse.pages.weather import curves_finding, field_by_title
from fercourse.pages.weather import in_short as in_bad_weather
from fercourse.plots import claimed_against_measured, confusion, one_field, sweep, weather_curves
from fercourse.runs.findings import by_cut, findings
from fercourse.runs.groups import group_by_config
from fercourse.runs.ledger import Ledger
from fercourse.runs.table2 import in_words, standings
from fercourse.runs.weather_row import WeatherBook, WeatherRow
from fercourse.weather import CORRUPTIONS

DOOR = ("<!-- door: written by `fercourse ledger report` -->", "<!-- end of door -->")
ANSWER = ("<!-- answer: written by `fercourse ledger report` -->", "<!-- end of answer -->")
FINDING = ("<!-- finding: written by `fercourse ledger report` -->", "<!-- end of finding -->")
ATTENTION = (
    "<!-- attention: written by `fercourse ledger report` -->",
    "<!-- end of attention -->",
)
WEATHER = ("<!-- weather: written by `fercourse ledger report` -->", "<!-- end of weather -->")
RESULTS = ("<!-- results: written by `fercourse ledger report` -->", "<!-- end of results -->")


def write(folder: Path, ledger: Ledger) -> list[Path]:
    """Write README's finding, docs/results.md and their pictures anew; what was changed.

    A picture is kept while it shows the same numbers, words and colours.

    Args:
        folder: The checkout.
        ledger: What is reported.

    Raises:
        FercourseError: A page lacks its markers.
    """
    changed = []
    for name, places in page_contents(ledger).items():
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for (begin, end), content in places.items():
            text = fill(text, begin, end, content, path)
        if write_if_changed(path, text):
            changed.append(path)
    for name, draw in pictures(ledger).items():
        path = folder / "docs" / "pictures" / f"{name}.png"
        if save_if_changed(path, draw()):
            changed.append(path)
    return changed


def page_contents(ledger: Ledger) -> dict[str, dict[tuple[str, str], str]]:
    """What stands between the markers of each page."""
    return {
        "README.md": {
            DOOR: badges(address(), "notebooks/00_start_here.ipynb"),
            ANSWER: answer(ledger),
            ATTENTION: in_short(),
            WEATHER: in_bad_weather(_weather(ledger)),
            FINDING: finding(ledger),
        },
        "docs/results.md": {RESULTS: report(ledger)},
    }


def pictures(ledger: Ledger) -> dict[str, Callable]:
    """What README and results.md show of the ledger, as far as it is recorded: name and drawing."""
    entries = ledger.entries()
    found: dict[str, Callable] = {}
    if answers := findings(entries):
        found["claimed-against-measured"] = lambda: claimed_against_measured(answers)
    if recipes := group_by_config(ledger.rows(dataset="fer2013", plan="table1")):
        row = min((r for r in recipes[0] if r.variant == "model6"), key=lambda r: r.seed)
        said = next((claim.recall for claim in ledger.claims(plan="fig8")), None)
        found["confusion-fer2013"] = lambda: confusion(row.confusion, claimed=said)
    rows = [row for row in ledger.rows(dataset="fer2013") if row.plan == "fig6b"]
    if len({row.run.loss.pair_weight for row in rows}) > 1:
        found["sweep-lambda1"] = lambda: sweep(rows, "loss.pair_weight")
    if any(row.plan == "table2" for row in ledger.rows()):
        fields = {title: standings(entries, name) for name, title in FIELDS.items()}
        words = f"FER2013: {in_words(fields['FER2013'])}"
        found["table2-one-field"] = lambda: one_field(fields, words)
    if named := field_by_title(_weather(ledger), "fer2013"):
        kinds = {name: kind.title for name, kind in CORRUPTIONS.items()}
        costs = curves_finding(named, "FER2013")
        found["bad-weather"] = lambda: weather_curves(named, kinds, costs)
    if record := photograph_record(ledger.path.with_name("photographs.json")):
        found["calibration"] = lambda: calibrated(record)
    return found


def _weather(ledger: Ledger) -> list[WeatherRow]:
    """What lies beside the ledger."""
    return WeatherBook(ledger.path.with_name("weather.jsonl")).rows()


def answer(ledger: Ledger) -> str:
    """Do the components help? In two sentences."""
    answers = findings(ledger.entries())
    asked = [(each, each.claimed) for each in answers if each.claimed]
    if not asked:
        return "Nothing is measured yet: `fercourse run table1` does it."
    claims = [100 * claim.mean for _, claim in asked]
    shown = sum(each.measured.low > 0 for each, _ in asked)
    outside = sum(claim.mean > each.measured.high for each, claim in asked)
    told = f"In {shown} of {len(asked)} comparisons" if shown else "Not in our runs"
    measured = ", ".join(each.measured.points for each, _ in asked)
    sentences = [
        f"**Do these components help? {told}:** the paper claims gains of {min(claims):.1f} to "
        f"{max(claims):.1f} points, we measured {measured}, and {outside} of {len(asked)} claims "
        "lie outside our intervals."
    ]
    alone = [f"{each.short} {each.measured.points}" for each in answers if each.short]
    if alone:
        sentences.append(f"With no component changed: {', '.join(alone)}.")
    return " ".join(sentences)


def finding(ledger: Ledger) -> str:
    """README's answer as a table, a line a question, and what CK+'s cuts do."""
    answers = findings(ledger.entries())
    if not answers:
        return "Nothing is measured yet: `fercourse run table1` does it."
    head = ("what is added", "faces", "the paper claims", "measured here", "with")
    cells = [
        (
            answer.question,
            answer.where,
            answer.claimed.points if answer.claimed else "nothing",
            str(answer.measured),
            answer.scope,
        )
        for answer in answers
    ]
    words = "In points of test accuracy, with 95 % intervals:"
    return "\n\n".join([words, table(head, cells, "llrrl"), *_protocol(ledger)])


def _protocol(ledger: Ledger) -> list[str]:
    """What plain VGG16 scores on CK+ under every cut that was run."""
    names = {"subject": "by person", "sequence": "by recording", "random": "at random"}
    cuts = by_cut(ledger.rows(), model=1)
    if len(cuts) < 2:
        return []
    cells = ", ".join(f"{100 * row.test_accuracy:.2f} % {names[by]}" for by, row in cuts.items())
    (claim,) = ledger.claims(plan="table1", dataset="ckplus", variant="model6")
    return [
        f"How the folds are cut moves plain VGG16 on {known('ckplus').title}: {cells}. The paper "
        f"claims {100 * claim.acc:.2f} % for the whole framework and does not say how it cut."
    ]

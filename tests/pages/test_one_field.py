"""Table 2 on one field as a page has it: every method a line, undefined ones with their reason."""

from dataclasses import replace

from made_rows import made_row

from fercourse.config import ModelConfig
from fercourse.pages.one_field import field_tables
from fercourse.runs.paper import paper_claims


def test_nothing_is_written_before_anything_was_run():
    assert field_tables([*paper_claims(), made_row(1)]) == []


def test_every_method_has_a_line_with_claim_and_measurement():
    row = made_row(1, accuracy=0.61, plan="table2", variant="skip")
    run = replace(row.run, model=ModelConfig.table1(1, architecture="skip", width=0.375))
    row = replace(row, config=run.to_dict(), hash=run.hash, key=f"{run.hash}-0")
    text = "\n".join(field_tables([*paper_claims(), row, made_row(6, accuracy=0.6)]))
    assert "| skips to the end | 69.44 | 60.99 | 59.4 to 62.6 | 1 |" in text
    assert "| words of motion | 51.14 | undefined: stills |" in text
    assert "| the paper's framework (model 6) | 74.08 | 59.99 |" in text
    assert "| HOG |  | not run yet |" in text
    assert "claimed methods 1.0 points apart, in Table 2 4.6" in text
    assert "in the spirit of" in text
    for rival in ("[8]", "[9]", "[11]", "[14]", "[15]"):
        assert rival in text

"""The workflow for others' machines, which cannot run here: it is held against what it calls."""

import re
import tomllib

import pytest
import yaml
from conftest import ROOT

TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]
README_COMMANDS = ["make course", "make test"]


def _runs(job: dict) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_the_two_commands_and_only_targets_of_the_makefile(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split())
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)
    runs = _runs(JOBS[name])
    assert runs[-2:] == README_COMMANDS
    called = [run.removeprefix("make ") for run in runs if run.startswith("make ")]
    assert set(called) <= targets
    on_windows = [
        step for step in JOBS[name]["steps"] if step.get("if") == "runner.os == 'Windows'"
    ]
    assert [step["run"] for step in on_windows] == ["choco install make --no-progress"]
    assert len(runs) == len(called) + len(on_windows), "a command that is neither"


def test_readme_names_the_same_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^(make \w+) +#", readme, re.M) == README_COMMANDS


def test_every_system_and_every_python_that_the_project_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups())
    matrix = JOBS["locked"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in range(low, high)]
    systems = ("ubuntu-latest", "ubuntu-24.04-arm", "macos-latest", "windows-latest")
    assert set(matrix["os"]) == set(systems)
    for job in JOBS.values():
        assert set(job["strategy"]["matrix"]["os"]) <= set(systems)
        assert job["runs-on"] == "${{ matrix.os }}"
        assert job["strategy"]["fail-fast"] is False, "one system's fault would hide another's"


def test_once_a_week_with_the_newest_packages():
    events = WORKFLOW[True]  # "on" is YAML's word for true
    (week,) = events["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", week["cron"])
    assert JOBS["newest"]["env"] == {"NEWEST": "1"}
    assert "ifdef NEWEST" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "github.event_name == 'schedule'" in JOBS["newest"]["if"]


def test_what_is_written_is_what_github_reads():
    """Keys and actions as GitHub lists them: a misspelt key is silently no key there."""
    assert WORKFLOW.keys() == {
        "name",
        True,
        "permissions",
        "concurrency",
        "defaults",
        "jobs",
    }
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for job in JOBS.values():
        assert job.keys() <= {"strategy", "runs-on", "timeout-minutes", "steps", "if", "env"}
        assert 0 < job["timeout-minutes"] <= 360
        for step in job["steps"]:
            assert step.keys() <= {"uses", "with", "run", "if"}
            assert ("uses" in step) != ("run" in step)
            if "uses" in step:
                assert re.fullmatch(r"actions/(checkout|setup-python)@v\d+", step["uses"])
    spaced = set(re.findall(r"\$\{\{ ([\w.]+) \}\}", TEXT))
    assert spaced == {"github.workflow", "github.ref", "matrix.os", "matrix.python"}
    assert TEXT.count("${{") == len(re.findall(r"\$\{\{ [\w.]+ \}\}", TEXT))

"""The state to resume from is data, never code."""

import pytest
import torch

from fercourse import FercourseError
from fercourse.training.checkpoint import load_state

pytestmark = pytest.mark.numeric


def test_state_is_never_unpickled_as_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "pwned"), "w"))

    torch.save({"x": Evil()}, tmp_path / "state.pt")
    with pytest.raises(FercourseError, match="cannot be resumed from"):
        load_state(tmp_path / "state.pt")
    assert not (tmp_path / "pwned").exists()

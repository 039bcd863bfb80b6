"""What is left out of a file is counted, said in one line, and found again in that line."""

from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data.errors import InputError
from packed_scenes.data.faults import Faults, entries, left_out


@given(
    st.lists(st.sampled_from(["x must be finite", "the box is reversed", "3 left out: no"]), min_size=1, max_size=30)
)
def test_a_line_gives_back_its_file_and_its_number(reasons: list[str]) -> None:
    faults = Faults("some: where/boxes.csv")
    for row, reason in enumerate(reasons):
        with faults.entry(f"row {row}"):
            raise InputError(f"row {row}: {reason}")
    found = [left_out(line) for line in faults.warnings()]
    assert all(one is not None and one[0] == "some: where/boxes.csv" for one in found)
    assert sum(entries(one[1]) for one in found if one is not None) == faults.count == len(reasons)


def test_other_lines_are_about_something_else() -> None:
    assert left_out("boxes.csv: 3 boxes reach beyond the picture") is None
    assert entries("cannot be read") == 1

"""Editing by hand: every edit can be taken back and brought again, and the log keeps all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.catalogue import Catalogue
from packed_scenes.data import InputError
from tests.packed_scenes.catalogue.made import EMBEDDING, entry, identities_of, partition


def picture(catalogue):
    """Everything a user sees of the identities."""
    return {(i.identity_id, i.name, i.n_objects) for i in catalogue.identities()}, partition(catalogue)


def test_merge_keeps_the_first_number_and_any_name(filled):
    one, two = identities_of(filled, "a")[0], identities_of(filled, "a")[2]
    filled.rename(two, "Tea")
    filled.merge(one, "Tea")
    merged = filled.identity("Tea")
    assert merged.identity_id == one
    assert merged.n_objects == 6
    with pytest.raises(InputError, match="no identity"):
        filled.identity(two)
    filled.undo()
    assert filled.identity("Tea").identity_id == two


def test_split_and_move(filled):
    one = filled.in_scene("a")[0]
    _, (fresh,) = filled.split(one.identity_id, [[one.object_id]])
    assert identities_of(filled, "a")[0] == fresh
    filled.move([one.object_id], one.identity_id)
    assert identities_of(filled, "a")[0] == one.identity_id
    _, other = filled.move([one.object_id])
    assert other > fresh
    with pytest.raises(InputError, match="not all"):
        filled.split(other, [[one.object_id]])
    with pytest.raises(InputError, match="is not of identity"):
        filled.split(one.identity_id, [[one.object_id]])


def test_a_split_is_proposed_by_threshold(filled):
    one, two = identities_of(filled, "a")[0], identities_of(filled, "a")[2]
    before = partition(filled)
    filled.merge(one, two)
    parts = filled.parts(one, 0.18)
    assert len(parts) == 2
    filled.split(one, parts[1:])
    assert partition(filled) == before


@pytest.mark.parametrize("name", ["12", "#12", "x" * 200, "a\0b", "\u202etea"])
def test_bad_names_are_refused(filled, name):
    with pytest.raises(InputError, match="cannot be a name"):
        filled.rename(1, name)


def test_two_identities_never_share_a_name(filled):
    one, two = identities_of(filled, "a")[0], identities_of(filled, "a")[2]
    filled.rename(one, "  Omo   3 l ")
    assert filled.identity("Omo 3 l").identity_id == one
    with pytest.raises(InputError, match="Merge the two"):
        filled.rename(two, "Omo 3 l")


def test_adding_is_undone_and_redone(filled):
    before = picture(filled)
    filled.add([entry("d", [0, 9])], embedding=EMBEDDING)
    after = picture(filled)
    undone = filled.undo()
    assert undone.kind == "add"
    assert picture(filled) == before
    assert filled.redo().edit_id == undone.edit_id
    assert picture(filled) == after
    filled.undo()
    filled.add([entry("d", [0, 9])], embedding=EMBEDDING)  # the same picture, again and anew
    with pytest.raises(InputError, match="nothing to redo"):
        filled.redo()


def test_removing_a_scene(filled):
    filled.remove("a")
    assert [s.name for s in filled.scenes()] == ["c", "b"]
    assert len(filled.vectors()) == 7
    filled.add([entry("a", [0, 0, 1])], embedding=EMBEDDING)
    removal = next(e for e in filled.history() if e.kind == "remove")
    with pytest.raises(InputError, match="in the catalogue again"):
        filled.undo(removal.edit_id)
    assert len(filled.scenes()) == 3


def test_an_edit_that_later_ones_rest_on_is_refused(filled):
    one, two = identities_of(filled, "a")[0], identities_of(filled, "a")[2]
    merge = filled.merge(one, two)
    moved = filled.in_scene("a")[2].object_id
    filled.move([moved])
    before = picture(filled)
    with pytest.raises(InputError, match="Undo the later edits first"):
        filled.undo(merge)
    assert picture(filled) == before
    filled.undo()
    filled.undo(merge)
    assert identities_of(filled, "a")[2] == two
    with pytest.raises(InputError, match="already undone"):
        filled.undo(merge)
    with pytest.raises(InputError, match="no edit"):
        filled.undo(999)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_undo_all_then_redo_all(tmp_path_factory, data):
    catalogue = Catalogue.create(tmp_path_factory.mktemp("undo"))
    states = [picture(catalogue)]
    catalogue.add([entry("a", [0, 0, 1, 2, 3, 3])], embedding=EMBEDDING)
    states.append(picture(catalogue))
    for number in range(data.draw(st.integers(1, 5))):
        known = [i.identity_id for i in catalogue.identities()]
        action = data.draw(st.sampled_from(["rename", "merge", "move", "add", "remove"]))
        one = data.draw(st.sampled_from(known)) if known else None
        if action == "add" or one is None:
            catalogue.add(
                [entry(f"s{number}", data.draw(st.lists(st.integers(0, 6), min_size=1)))], embedding=EMBEDDING
            )
        elif action == "rename":
            catalogue.rename(one, f"name {number}")
        elif action == "remove":
            catalogue.remove(catalogue.scenes()[0].name)
        elif action == "move":
            catalogue.move([catalogue.seen(one)[0].object_id])
        elif len(known) > 1:
            catalogue.merge(one, data.draw(st.sampled_from([k for k in known if k != one])))
        else:
            continue
        states.append(picture(catalogue))
    for expected in states[-2::-1]:
        catalogue.undo()
        assert picture(catalogue) == expected
    with pytest.raises(InputError, match="nothing to undo"):
        catalogue.undo()
    for expected in states[1:]:
        catalogue.redo()
        assert picture(catalogue) == expected
    assert len(catalogue.history()) == 3 * (len(states) - 1)

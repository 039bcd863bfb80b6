"""Numbers of a catalogue and of a run are never mistaken for each other."""

from packed_scenes.aggregate import Congregation
from packed_scenes.titles import counted, drawn_titles, numbered, titles


def place(cluster, index, label):
    return Congregation(cluster, index, label, (), (0, 0, 1, 1), ())


def test_a_name_comes_before_the_number_in_the_catalogue():
    assert titles({0: "tea"}, {0: 7, 2: 1}) == {0: "tea", 2: "#1"}
    assert titles({0: "tea"}, None) == {0: "tea"}
    assert titles(None, None) is None


def test_a_name_that_the_font_cannot_write_is_no_bare_number():
    assert drawn_titles({0: "\u8336", 1: "tea"}, {0: 7, 1: 2}) == {0: "#7", 1: "tea"}
    assert drawn_titles({0: "\u8336"}, None) is None or drawn_titles({0: "\u8336"}, None) == {}


def test_places_are_labelled_by_the_catalogue_and_counted_over_the_clusters_of_one_identity():
    places = [place(0, 1, "0_1"), place(0, 2, "0_2"), place(3, 1, "3"), place(4, 1, "4"), place(5, 1, "5")]
    assert [c.label for c in numbered(places, {0: 9, 3: 9, 4: 2})] == ["#9_1", "#9_2", "#9_3", "#2", "5"]
    assert numbered(places, None) == places


def test_one_is_not_many():
    assert [counted(n, "scene") for n in (0, 1, 2)] == ["0 scenes", "1 scene", "2 scenes"]
    assert counted(3, "identity", "identities") == "3 identities"

"""The table of the best models and the score panels of a study."""

from types import SimpleNamespace

import numpy as np
import pytest

from packed_scenes.study import curves
from packed_scenes.study.report import models_section


def rows(count):
    rng = np.random.default_rng(0)
    return [
        SimpleNamespace(
            key=f"k{at}", space="colour", descriptor="colour", method=("kmeans", "dbscan")[at % 2], model=f"m{at}",
            clusters=2 + at, noise=0.0, judged=float(rng.random()), calinski_harabasz=float(10 ** rng.uniform(0, 4)),
            davies_bouldin=float(rng.uniform(0.2, 0.4)), ari=float(rng.random()), seconds=0.1, fault="",
        )
        for at in range(count)
    ]  # fmt: skip


def test_models_that_come_out_the_same_are_listed_once():
    some = rows(6)
    again = [SimpleNamespace(**vars(row) | {"key": f"again-{row.key}", "model": "other"}) for row in some]
    page = "".join(
        models_section(SimpleNamespace(rows=[*some, *again], candidate=lambda r: SimpleNamespace(quality=r.judged)))
    )
    assert page.count("<tr>") == 1 + 6
    assert "6 that come out as a better or equal one" in page


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 30])
def test_ticks_of_logarithmic_panels_are_few_plain_numbers(count, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(curves, "save_panel", lambda figure, file: drawn.append(figure))
    some = rows(count)
    curves.draw_scores(some, tmp_path / "a.png")
    curves.draw_against_truth(some, tmp_path / "b.png", winner=some[0], best=some[-1])
    for figure in drawn:
        figure.canvas.draw()
        for panel in figure.axes:
            said = [label.get_text() for label in panel.get_xticklabels() if label.get_text()]
            assert len(said) <= 12
            assert not [text for text in said if "10^" in text]
            assert not [label for label in panel.get_xticklabels(minor=True) if label.get_text()]
        names = [text.get_text() for text in figure.legends[0].get_texts()]
        assert len(names) == len(set(names))


def test_axes_of_counts_have_few_whole_ticks():
    from matplotlib.figure import Figure

    from packed_scenes.axes import logarithmic, whole_numbers

    for low, high in ((1, 67), (20, 31), (2, 3), (1, 1), (1, 400_000)):
        panel = Figure().add_subplot()
        panel.plot([2, 8, 20], [low, high, low])
        panel.set_ylim(0.9 * low, 1.15 * high)
        logarithmic(panel, "y", whole=True)
        whole_numbers(panel)
        bottom, top = panel.get_ylim()
        shown = [tick for tick in panel.yaxis.get_major_locator()() if bottom <= tick <= top]
        assert len(shown) <= 10
        ticks = np.array([*shown, *panel.xaxis.get_major_locator()()])
        np.testing.assert_allclose(ticks, ticks.round(), rtol=1e-9)

"""Which figures stay drawings and which become pictures."""

from rnn_mnist.analysis.report.embedding import ALL_DRAWINGS, LARGEST_DRAWING, too_large


def test_a_drawing_that_is_too_large_alone_becomes_a_picture() -> None:
    assert too_large([LARGEST_DRAWING, LARGEST_DRAWING + 1, 10]) == {1}


def test_the_largest_become_pictures_until_the_others_fit_together() -> None:
    small, large = LARGEST_DRAWING // 2, LARGEST_DRAWING
    sizes = [large, small] * 20
    chosen = too_large(sizes)
    assert sum(size for place, size in enumerate(sizes) if place not in chosen) <= ALL_DRAWINGS
    assert {place for place, size in enumerate(sizes) if size == large} <= chosen
    assert too_large([]) == set()

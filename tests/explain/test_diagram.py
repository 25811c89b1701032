"""The drawing fits, and says where states enter and leave, and what is read out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_mnist.catalogues.cells import Readout
from rnn_mnist.explain.diagram import Diagram
from tests.explain.test_tensors import explained


@given(
    st.builds(
        Diagram, st.integers(1, 1000), st.integers(1, 2), st.integers(1, 784), st.booleans(), st.sampled_from(Readout)
    ),
    st.integers(40, 200),
)
def test_it_fits_and_every_state_goes_where_it_belongs(diagram: Diagram, width: int) -> None:
    lines = diagram.lines(width)
    assert max(map(len, lines)) <= width
    if len(lines) == 1:
        assert "no room" in lines[0]
        assert width < 76
        assert width < 40 or diagram.layers * diagram.directions > 50
        return
    text = "\n".join(lines)
    states = diagram.layers * diagram.directions
    for k in {0, diagram.directions - 1, states - diagram.directions, states - 1}:
        (line,) = (line for line in lines if f"h_0[{k}]" in line)
        assert f"h_n[{k}]" in line
        forward = diagram.directions == 1 or k % 2 == 0
        assert (line.index("h_0") < line.index("h_n")) == forward
        assert ("->" in line, "<-" in line) == (forward, not forward)
    # Higher layers stand higher.
    assert text.index(f"h_n[{states - 1}]") <= text.index("h_n[0]")
    marked = set(re.findall(r"(\S+)\*", text))
    if diagram.readout == Readout.final_hidden:
        assert marked == {f"h_n[{states - 1 - back}]" for back in range(diagram.directions)}
    else:
        last = "n-1" if diagram.varying else str(diagram.steps - 1)
        assert last in marked
        every = diagram.readout in (Readout.mean, Readout.max)
        assert ("0" in marked) == (every or last == "0")


def test_three_steps_and_two_layers_are_drawn_in_76_columns() -> None:
    for steps in (28, 784):
        lines = Diagram(2, 2, steps, varying=False, readout=Readout.final_hidden).lines(76)
        assert re.findall(r"t = (\d+)", lines[-1]) == ["0", "1", str(steps - 1)]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], "features = output[:, -1]"),
        (["model.batch_first=false"], "features = output[-1]"),
        (["model.readout=final_hidden", "model.bidirectional=true"], "features = [h_n[2], h_n[3]]"),
        (["model.readout=max"], "the maximum of output over all t"),
        (["sequence=random_length"], "n is a sequence's own number of steps, 14 to 28"),
        (["model=lstm"], "only h goes up"),
        (["model.num_layers=9"], "Of the 9 layers"),
    ],
)
def test_the_legend_speaks_of_the_configuration(overrides: list[str], words: str) -> None:
    assert words in " ".join(explained(*overrides).legend)


def test_the_legend_names_no_cell_state_where_there_is_none() -> None:
    assert "c_0" not in " ".join(explained("model=gru").legend)

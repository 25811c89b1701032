"""Layers against time steps, drawn in plain characters: where the input enters, where states go, what is read out."""

from dataclasses import dataclass

from rnn_mnist.catalogues.cells import CELLS, Readout
from rnn_mnist.catalogues.sequences import SEQUENCES
from rnn_mnist.configuration.schema import Config
from rnn_mnist.explain.parameter_note import lengths_differ, output_at, steps_in_words

_MOST_LAYERS = 3  # that are all drawn; of more, the first and the last


@dataclass(frozen=True)
class Diagram:
    """What is drawn; see :meth:`lines`.

    Attributes:
        layers: L.
        directions: D.
        steps: T, the longest sequence's.
        varying: whether sequences are of unequal lengths.
        readout: what is classified.
    """

    layers: int
    directions: int
    steps: int
    varying: bool
    readout: Readout

    def lines(self, width: int) -> list[str]:
        """The drawing in at most ``width`` columns, the roomiest that fits; 76 are enough, and 40 for up to 50 states.

        Layer 0 is at the bottom, where the input enters; a layer of two directions is a box of two, whose outputs go up
        side by side. What the read-out takes is marked with ``*``.
        """
        for most, roomy, padding in ((3, True, 2), (3, True, 0), (2, True, 2), (2, True, 0), (2, False, 0)):
            drawn = self._drawn(most, roomy=roomy, padding=padding)
            if max(map(len, drawn)) <= width:
                return drawn
        return [f"(no room: the drawing needs {max(map(len, drawn))} columns)"]

    def _drawn(self, most_steps: int, *, roomy: bool, padding: int) -> list[str]:
        shown = self._shown_steps(most_steps)
        labels = [f"t = {step}" if roomy else step for step in shown]
        reads_output = self.readout != Readout.final_hidden
        every = self.readout in (Readout.mean, Readout.max)
        top = [
            label + "*" * (reads_output and (every or place == len(shown) - 1)) for place, label in enumerate(labels)
        ]
        layers = self._shown_layers()
        boxes = [self._box(layer, direction, roomy=roomy) for layer in layers for direction in range(self.directions)]
        inner = max(map(len, [*boxes, *top])) + padding
        room = max(len("output"), max(len(self._state("h_n", layer, self.directions - 1)) for layer in layers) + 1)
        grid = _Grid(inner, len(shown), cut=self._cut(most_steps), room=room, roomy=roomy)
        lines = [grid.labelled("output", top), grid.up()]
        for layer in reversed(layers):
            lines.append(grid.edge())
            for direction in reversed(range(self.directions)):
                box = self._box(layer, direction, roomy=roomy)
                entering, leaving = (self._state(name, layer, direction) for name in ("h_0", "h_n"))
                if direction:
                    lines.append(grid.backward(leaving, box, entering))
                else:
                    lines.append(grid.forward(entering, box, leaving))
            lines += [grid.edge(), grid.up()]
            if layer and layer - 1 not in layers:
                lines += [grid.up(":"), grid.up()]
        return [*lines, grid.labelled("x", labels)]

    def _shown_steps(self, most: int) -> list[str]:
        if self.varying:
            return [*map(str, range(most - 1)), "n-1"]
        if self.steps <= most:
            return [str(step) for step in range(self.steps)]
        return [*map(str, range(most - 1)), str(self.steps - 1)]

    def _cut(self, most: int) -> bool:
        return self.varying or self.steps > most

    def _shown_layers(self) -> list[int]:
        return list(range(self.layers)) if self.layers <= _MOST_LAYERS else [0, self.layers - 1]

    def _box(self, layer: int, direction: int, *, roomy: bool) -> str:
        if roomy:
            return f"{layer} {('forward', 'backward')[direction]}" if self.directions == 2 else f"layer {layer}"
        return f"{layer}{'fb'[direction]}" if self.directions == 2 else str(layer)

    def _state(self, name: str, layer: int, direction: int) -> str:
        read = self.readout == Readout.final_hidden and name == "h_n" and layer == self.layers - 1
        return f"{name}[{layer * self.directions + direction}]" + "*" * read


@dataclass(frozen=True)
class _Grid:
    """Boxes of equal width, one a step, and what stands left and right of them."""

    inner: int
    columns: int
    cut: bool
    room: int
    roomy: bool

    @property
    def dots(self) -> str:
        """What stands for the steps that are not drawn."""
        return "..." if self.roomy else ".."

    def labelled(self, title: str, labels: list[str]) -> str:
        return self._line(title, [f" {label:^{self.inner}} " for label in labels], self._blank(), self.dots)

    def up(self, sign: str = "^") -> str:
        return self._line("", [f" {sign:^{self.inner}} "] * self.columns, self._blank(), "")

    def edge(self) -> str:
        return self._line("", [f"+{'-' * self.inner}+"] * self.columns, self._blank(), "")

    def forward(self, entering: str, box: str, leaving: str) -> str:
        return self._line(entering, [f"|{box:^{self.inner}}|"] * self.columns, self._link(">"), self.dots, leaving)

    def backward(self, leaving: str, box: str, entering: str) -> str:
        return self._line(leaving, [f"|{box:^{self.inner}}|"] * self.columns, self._link("<"), self.dots, entering)

    def _blank(self) -> str:
        return " " * len(self._link(">"))

    def _link(self, head: str) -> str:
        line = "--" if self.roomy else "-"
        return f"{line}>" if head == ">" else f"<{line}"

    def _line(self, left: str, cells: list[str], link: str, dots: str, right: str = "") -> str:
        last = cells[-1:] if self.cut else []
        line = f"{left:<{self.room}}{link}" + link.join(cells[: len(cells) - len(last)])
        if last:
            line += f"{link}{dots:{len(self.dots)}}{link}{last[0]}"
        return (f"{line}{link} {right}" if right else line).rstrip()


def diagram(config: Config) -> Diagram:
    """What is drawn of a configuration."""
    model = config.model
    steps = SEQUENCES[config.sequence.kind].shape[0]
    return Diagram(model.num_layers, model.num_directions, steps, lengths_differ(config), model.readout)


def legend(config: Config) -> tuple[str, ...]:
    """What the drawing shows, in sentences."""
    model = config.model
    sentences = [
        "Time runs to the right. The input x enters layer 0"
        + ("; each layer above reads the output of the one below at the same step." if model.num_layers > 1 else ".")
    ]
    if model.bidirectional:
        sentences.append(
            "A box is a layer at one step: forward (f) carries its state to the right, backward (b) to the left; what "
            "goes up is both, side by side."
        )
    if model.num_layers > _MOST_LAYERS:
        sentences.append(f"Of the {model.num_layers} layers the first and the last are drawn.")
    if CELLS[model.cell].cell_state:
        sentences.append(
            "Beside h goes c, which stays in its layer: c_0[k] enters with h_0[k], c_n[k] leaves with h_n[k], and "
            "only h goes up."
        )
    if lengths_differ(config):
        sentences.append(f"n is a sequence's own number of steps, {steps_in_words(config)}: the drawing ends there.")
    return (*sentences, f"* is what the read-out takes: features = {_features(config)}; logits = linear(features).")


def _features(config: Config) -> str:
    model, varying = config.model, lengths_differ(config)
    match model.readout:
        case Readout.last_step:
            return "output at step n-1" if varying else output_at(model, "-1")
        case Readout.final_hidden:
            last = model.num_layers * model.num_directions - 1
            return f"[h_n[{last - 1}], h_n[{last}]] side by side" if model.bidirectional else f"h_n[{last}]"
        case Readout.mean | Readout.max:
            return f"the {'mean' if model.readout == Readout.mean else 'maximum'} of output over all t"

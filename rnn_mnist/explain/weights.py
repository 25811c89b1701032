"""The weights of a configured classifier: their shapes, and what each does."""

from dataclasses import dataclass

from rnn_mnist.catalogues.cells import CELLS, CellSpec, ModelConfig
from rnn_mnist.network.classifier import RecurrentClassifier


@dataclass(frozen=True)
class WeightRow:
    """One weight: symbolic and real shape, what it does, and how many parameters it is."""

    name: str
    symbols: str
    shape: tuple[int, ...]
    meaning: str
    count: int


def weight_rows(model: RecurrentClassifier, config: ModelConfig) -> list[WeightRow]:
    """All weights, in the order of ``named_parameters()``."""
    p, spec = "P" if config.projection_size else "H", CELLS[config.cell]
    rows = []
    for name, parameter in model.named_parameters():
        kind = name.removeprefix("recurrent.")
        first_layer = "_l0" in kind
        source = "the input" if first_layer else "the outputs of the layer below"
        backward = ", backward direction" if kind.endswith("_reverse") else ""
        target, gates = ("the gates", f"; rows: {spec.gate_names}") if spec.gates > 1 else ("the new h", "")
        known = {
            "weight_ih": (f"[G*H, {'F' if first_layer else f'D*{p}'}]", f"from {source} to {target}{backward}{gates}"),
            "weight_hh": (f"[G*H, {p}]", f"from h of the step before to {target}{backward}{gates}"),
            "weight_hr": ("[P, H]", f"projects h to P features{backward}"),
            "bias_ih": ("[G*H]", f"added to the input's part{backward}"),
            "bias_hh": ("[G*H]", f"added to the hidden state's part{backward}{_second_bias(spec)}"),
            "linear.weight": (f"[C, D*{p}]", "from the features to the logits"),
            "linear.bias": ("[C]", "added to the logits"),
        }
        # A module of another cell may have weights of its own kinds.
        prefix = kind if kind.startswith("linear") else kind.partition("_l")[0]
        symbols, meaning = known.get(prefix, ("", f"a weight of the module{backward}"))
        rows.append(WeightRow(name, symbols, tuple(parameter.shape), meaning, parameter.numel()))
    return rows


def _second_bias(spec: CellSpec) -> str:
    if spec.second_bias_acts:
        return "; the reset gate acts on it in n, so that there it is no mere double"
    return "; only the sum of the two counts"

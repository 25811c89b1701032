"""``rnn-mnist explain``: the same as ``python -m rnn_mnist.explain``."""

from rnn_mnist.explain.__main__ import main

__all__ = ["main"]

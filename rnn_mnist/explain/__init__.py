"""What is inside a configured model; ``python -m rnn_mnist.explain``."""

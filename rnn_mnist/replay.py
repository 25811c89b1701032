"""Entry point: does a run come out the same again? ``rnn-mnist replay``, for who has a checkout and no installation.

python -m rnn_mnist.replay outputs/single/RUN
"""

import sys

from rnn_mnist import shell
from rnn_mnist.__main__ import main

if __name__ == "__main__":
    shell.leave(lambda: main(["replay", *sys.argv[1:]]))

"""``rnn-mnist plot``, for who has a checkout and no installation."""

import sys

from rnn_mnist.__main__ import main

sys.exit(main(["plot", *sys.argv[1:]]))

"""``rnn-mnist compare``, for who has a checkout and no installation."""

import sys

from rnn_mnist.__main__ import main

sys.exit(main(["compare", *sys.argv[1:]]))

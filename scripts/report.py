"""``rnn-mnist report``, for who has a checkout and no installation."""

import sys

from rnn_mnist.__main__ import main

sys.exit(main(["report", *sys.argv[1:]]))

"""Images as files, as tensors and as sequences, and the random streams that order them."""

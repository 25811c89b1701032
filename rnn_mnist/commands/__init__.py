"""The commands of ``rnn-mnist``, one file each: ``main(arguments)`` does it and returns an exit code, None for 0."""

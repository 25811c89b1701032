"""Whether somebody has seeded a Mersenne Twister, or the system has: found out from its state alone.

Python's ``random`` and NumPy's ``RandomState`` seed it with 624 words from the system, unless they are given something,
which is most often a number or a text, and that is shorter. Both ways of seeding can be undone, and so can the
generation of numbers in between: a short key then shows by being repeated (it is laid over the 624 words again and
again), a number given to NumPy by each word following from the one before.

The algorithm: M. Matsumoto and T. Nishimura, ACM TOMACS 8 (1998) 3-30, and their ``mt19937ar.c`` (2002), of whose
functions the names are used here.
"""

from collections.abc import Sequence

_WORDS, _MIDDLE = 624, 397
_SHIFT = _WORDS - _MIDDLE
_UPPER, _LOWER, _ALL = 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF
_MATRIX = 0x9908B0DF
_UNTWIST = (0, _MATRIX << 1 & _ALL | 1)
_SHORT_KEY, _LONG_KEY = 64, 560
"""Words of a key that is looked for; of the 624 enough remain to see the repetition."""
_FEW_BLOCKS = 16
"""In which long keys are looked for as well, which takes longer."""


def is_seeded(state: Sequence[int], most_blocks: int = 400) -> bool:
    """Whether the state of a generator comes from a number, a text, or a list of words.

    A state that comes from the system is never taken for one that does not: dozens of words of 32 bits would have to
    repeat others by chance.

    Args:
        state: its 624 words.
        most_blocks: how many blocks of 624 numbers may have been drawn since; to undo one takes a fraction of a
            millisecond. Keys of more than 64 words are found if it was at most 16.
    """
    words = list(state)
    for block in range(most_blocks):
        if _follows_from_first(words) or _repeats_a_key(words, _LONG_KEY if block < _FEW_BLOCKS else _SHORT_KEY):
            return True
        if block == 0 and words[0] == _UPPER:
            return False  # as both ways of seeding by a key leave it, and nothing has been drawn
        words = _previous(words)
    return False


def _follows_from_first(words: Sequence[int]) -> bool:
    """``init_genrand``; the first word need not be known."""
    return all(words[i] == (1812433253 * (words[i - 1] ^ words[i - 1] >> 30) + i) & _ALL for i in range(2, _WORDS))


def _repeats_a_key(words: Sequence[int], longest: int) -> bool:
    """``init_by_array``, whose second pass is undone, and whose first pass then tells what it has added."""
    known = min(_WORDS, 2 * longest + 4)
    second = (words[1] + 1 & _ALL) ^ _mixed(words[-1], 1566083941)
    after = [0, second, (words[2] + 2 & _ALL) ^ _mixed(second, 1566083941)]
    after += [(words[i] + i & _ALL) ^ _mixed(words[i - 1], 1566083941) for i in range(3, known)]
    added = [after[i] - (_BEFORE[i] ^ _mixed(after[i - 1], 1664525)) & _ALL for i in range(3, known)]
    return added[0] in added[1 : longest + 1] and any(
        added[: len(added) - length] == added[length:] for length in range(1, longest + 1)
    )


def _mixed(word: int, factor: int) -> int:
    return (word ^ word >> 30) * factor & _ALL


def _previous(words: Sequence[int]) -> list[int]:
    """The state one block of numbers earlier; if that is the seeding's, the lower bits of its first word are not."""
    upper = [_untwisted(word ^ before) for word, before in zip(words[_SHIFT:], words, strict=False)]
    # Words 397 to 623, of the upper halves of pairs and the lower halves of those before.
    tail = [
        pair & _UPPER | below & _LOWER
        for pair, below in zip(upper[_MIDDLE - _SHIFT :], upper[_MIDDLE - _SHIFT - 1 :], strict=False)
    ]
    pairs = [_untwisted(word ^ before) for word, before in zip(words, tail, strict=False)] + upper
    earlier = [pair & _UPPER | below & _LOWER for pair, below in zip(pairs[1:], pairs, strict=False)]
    # The lower bits of the first word went into the last word of their own block.
    return [pairs[0] & _UPPER | _untwisted(earlier[-1] ^ earlier[_MIDDLE - 2]) & _LOWER, *earlier]


def _untwisted(word: int) -> int:
    return (word << 1 ^ _UNTWIST[word >> 31]) & _ALL


def _seeded_by(seed: int) -> list[int]:
    words = [seed]
    for i in range(1, _WORDS):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) & _ALL)
    return words


_BEFORE = _seeded_by(19650218)
"""From where ``init_by_array`` begins."""

"""Lists of calls as people and their programs write them: what is in them, and what is unclear.

No I/O: bytes and a person's answers come in, calls and questions go out. What cannot be known is
asked or refused, never guessed: a guess rings a stranger.
"""

"""``doctor``: everything that the service stands on, looked at from here.

The rooms for outside systems say what they find of theirs (`examination` in each); here it is
asked for in order and printed. Nothing is changed, and nobody is rung.
"""

"""The page for people at ``/``: a few static files that ask the public API alone.

``files`` serves what lies in `page/`. What was written elsewhere lies whole in `page/vendor/`,
with its version and licence; nothing is built, and nothing is fetched from another server.
"""

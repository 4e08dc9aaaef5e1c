"""Which pages of a browser may read the live stream: the dashboard has another origin.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from aiohttp import web

#: What a page may send, and how long the browser remembers that, s.
HEADERS, REMEMBERED_S = "Authorization, X-API-Key, Last-Event-ID", 600


class Origins:
    """Tells the browser whether a page may read an answer."""

    def __init__(self, allowed: frozenset[str] | None) -> None:
        """``allowed``: in lower case; ``None``: any, since each request shows an API key.

        No cookie is accepted, so a stranger's page has nothing to show.
        """
        self._allowed = allowed

    def install(self, app: web.Application, path: str) -> None:
        """Answer what a browser asks before, and mark all answers."""
        app.router.add_options(path, self._preflight)
        app.on_response_prepare.append(self._mark)

    async def _preflight(self, _request: web.Request) -> web.Response:
        headers = {
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": str(REMEMBERED_S),
        }
        return web.Response(status=204, headers=headers)

    async def _mark(self, request: web.Request, response: web.StreamResponse) -> None:
        origin = request.headers.get("Origin")
        if origin and (self._allowed is None or origin.lower() in self._allowed):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"

"""The rating page's routes.

GET  /start/<link>              a page that asks who rates
POST /start/<link>              {"name": ...} -> {"address": "/r/<link>/"}
GET  /r/<link>/                 the page
GET  /r/<link>/showings         the rater's name, and an id and whether it is done for each showing, in order
GET  /r/<link>/showings/<id>    what it shows
POST /r/<link>/showings/<id>    the answer; on disk before ours
GET  /page/<file>               scripts and styles
"""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from pydantic import Field

from judge.rating.desk import BadAnswer, Desk
from judge.rating.guard import own_pages_only, set_headers
from judge.rating.posted import read_posted
from judge.rating.rater_name import BadName
from judge.rating.rater_sessions import MAX_RATERS, RaterSession, RaterSessions, TooManyRaters
from judge.rating.showing_order import Showing
from shared.errors import StoreFailed
from shared.strict import Strict

MAX_REQUEST_BYTES = 64 * 1024
PAGE = Path(__file__).parent / "page"
OLD_LINK = (
    "This link belongs to an earlier session, or is incomplete. What was saved is kept: open the link that "
    "`levelfield rate` printed when it started last."
)


class PostedName(Strict):
    name: str = Field(max_length=200)


class RatingApp:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.sessions = RaterSessions(desk)
        self._files = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.is_file()}

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[own_pages_only])
        app.on_response_prepare.append(set_headers)
        app.add_routes(
            [
                web.get("/", self.without_link),
                web.get("/start/{link}", self.start_page),
                web.post("/start/{link}", self.start),
                web.get("/r/{link}/", self.rating_page),
                web.get("/r/{link}/showings", self.showings),
                web.get("/r/{link}/showings/{id}", self.show),
                web.post("/r/{link}/showings/{id}", self.keep),
                web.get("/page/{file}", self.file),
            ]
        )
        return app

    async def without_link(self, _request: web.Request) -> web.Response:
        return web.Response(status=404, text=OLD_LINK)

    async def start_page(self, request: web.Request) -> web.Response:
        self._check_start(request)
        return self._file("start.html")

    async def start(self, request: web.Request) -> web.Response:
        self._check_start(request)
        try:
            session = self.sessions.of_name(read_posted(await request.read(), PostedName).name)
        except (BadAnswer, BadName) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        except TooManyRaters:
            raise web.HTTPTooManyRequests(text=f"One session takes {MAX_RATERS} raters.") from None
        return _json({"address": f"/r/{session.link}/"})

    async def rating_page(self, request: web.Request) -> web.Response:
        self._session(request)
        return self._file(self._desk.page)

    async def showings(self, request: web.Request) -> web.Response:
        session = self._session(request)
        found = [
            {"id": name, "done": self._desk.is_done(session.rater, showing)}
            for name, showing in session.showings.items()
        ]
        return _json({"rater": session.rater, "showings": found})

    async def show(self, request: web.Request) -> web.Response:
        session = self._session(request)
        return _json(self._desk.content(session.rater, _showing(request, session)))

    async def keep(self, request: web.Request) -> web.Response:
        session = self._session(request)
        try:
            self._desk.keep(session.rater, _showing(request, session), await request.read())
        except BadAnswer as error:
            raise web.HTTPBadRequest(text=f"Not saved: {error}.") from None
        except StoreFailed as error:
            raise web.HTTPInsufficientStorage(text=f"Not saved. {error}") from None
        return _json({"saved": True})

    async def file(self, request: web.Request) -> web.Response:
        return self._file(request.match_info["file"])

    def _check_start(self, request: web.Request) -> None:
        if not self.sessions.is_start(request.match_info["link"]):
            raise web.HTTPNotFound(text=OLD_LINK)

    def _session(self, request: web.Request) -> RaterSession:
        session = self.sessions.of_link(request.match_info["link"])
        if session is None:
            raise web.HTTPNotFound(text=OLD_LINK)
        return session

    def _file(self, name: str) -> web.Response:
        """Of those read at the start: a path in the address reaches nothing."""
        if name not in self._files:
            raise web.HTTPNotFound
        kind = guess_type(name)[0] or "application/octet-stream"
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8")


def _showing(request: web.Request, session: RaterSession) -> Showing:
    showing = session.showings.get(request.match_info["id"])
    if showing is None:
        raise web.HTTPNotFound(text="There is no such report in this session. Open the page again.")
    return showing


def _json(content: dict[str, Any]) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")

"""What a page on loopback must be kept from: other sites in the same browser, and what a model wrote."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOOPBACK = {"127.0.0.1", "localhost"}
HEADERS = {
    # Own files only, nothing inline, and no string ever becomes markup.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site could have a browser send.

    A name that an attacker's DNS points at 127.0.0.1 shows in Host; the port may be another one, as it is
    when it was forwarded. A page of another origin names itself in Origin, and cannot send JSON unasked.
    """
    if _host_name(f"//{request.headers.get('Host', '')}") not in LOOPBACK:
        return web.Response(status=403, text="This page answers only to 127.0.0.1 and localhost.")
    if request.method == "POST":
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.headers['Host']}":
            return web.Response(status=403, text="Another site's page may not send answers here.")
        if request.content_type != "application/json":
            return web.Response(status=415, text="Answers are sent as application/json.")
    return await handler(request)


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _host_name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None

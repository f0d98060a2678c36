"""One model call from its arrival to its delivery: passed on, timed, put on disk, handed over."""

from __future__ import annotations

import asyncio

from aiohttp import web

from cluster.gateway.exchange import CLIENT_GONE, GONE, Exchange
from cluster.gateway.journal import Journal
from cluster.gateway.log import note, note_failure
from cluster.gateway.passing import PassingStream, read_whole
from cluster.gateway.refusal import refusal
from cluster.gateway.request import hides_usage, read_request
from cluster.gateway.scrub import Scrubber
from cluster.gateway.source import Answer, ServerFault, Source

NOT_RECORDED = "The gateway's disk is full: the call could not be recorded."


class ModelCalls:
    """How a gateway carries them out."""

    def __init__(self, journal: Journal, scrubber: Scrubber) -> None:
        self._journal = journal
        self._scrubber = scrubber

    async def carry_out(self, exchange: Exchange, source: Source, request: web.Request) -> web.StreamResponse:
        """However it ends, the call is recorded and the client gets an answer or sees its connection cut."""
        try:
            return await self._ask(exchange, source, request)
        except ServerFault as fault:
            failure = fault
        except web.HTTPRequestEntityTooLarge:
            failure = ServerFault(413, "The request is too large.", "request_too_large")
        except web.RequestPayloadError:
            failure = ServerFault(400, "The request's body cannot be read.", "request_unreadable")
        except (ConnectionError, asyncio.CancelledError):
            self._give_up(exchange)
            raise
        except Exception as error:  # noqa: BLE001 - the client gets an answer and the run its record
            failure = _our_own(exchange, error)
        exchange.status, exchange.error = failure.status, str(failure)
        return await self._hand_over(exchange, request, refusal(failure.status, failure.code, str(failure)))

    async def _ask(self, exchange: Exchange, source: Source, request: web.Request) -> web.StreamResponse:
        content = read_request(exchange, await request.read(), request.headers)
        exchange.forwarded_s = exchange.lease.elapsed_s()
        answer = await source.ask(exchange, content)
        exchange.status = answer.status
        is_whole = False
        try:
            if answer.is_stream:
                response = await self._stream(exchange, answer, request)
                is_whole = exchange.error is None
                return response
            body = await read_whole(exchange, answer)
            is_whole = True
        finally:
            answer.release(is_whole)
        content = self._scrubber.without_keys(body)
        return await self._hand_over(
            exchange, request, web.Response(status=answer.status, body=content, headers=answer.headers)
        )

    async def _stream(self, exchange: Exchange, answer: Answer, request: web.Request) -> web.StreamResponse:
        exchange.streamed = True
        client = web.StreamResponse(status=answer.status, headers=answer.headers)
        await client.prepare(request)
        passing = PassingStream(exchange, hide_usage=hides_usage(exchange))
        try:
            await self._pass_on(passing, answer, client)
        except ServerFault as fault:
            exchange.error = str(fault)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - too late for another answer
            exchange.error = str(_our_own(exchange, error))
        finally:
            passing.read()
        if self._keep(exchange) and exchange.error is None:
            await client.write(self._scrubber.without_keys(passing.ending))
            await client.write_eof()
            self._note_delivery(exchange)
        elif request.transport:
            request.transport.abort()  # the client must not take this for a whole answer
        return client

    async def _pass_on(self, passing: PassingStream, answer: Answer, client: web.StreamResponse) -> None:
        async for chunk in answer.chunks:
            passed = passing.take(chunk)
            if passed:
                await client.write(self._scrubber.without_keys(passed))
            if passing.ended:
                return  # some servers keep the connection open after the last event
        passing.close()

    async def _hand_over(
        self, exchange: Exchange, request: web.Request, response: web.Response
    ) -> web.StreamResponse:
        if not self._keep(exchange):
            response = refusal(507, "journal", NOT_RECORDED)
        await response.prepare(request)
        await response.write_eof()
        self._note_delivery(exchange)
        return response

    def _keep(self, exchange: Exchange) -> bool:
        """Put the call on disk, once. Whether the disk took it."""
        if exchange.kept:
            return True
        exchange.kept = True
        call, lease = exchange.call(), exchange.lease
        if call.failed:
            facts = {"sequence": call.sequence, "status": call.status, "error": call.error}
            note("call_failed", lease.request, span_id=call.span_id, **facts)
            if exchange.sent:
                lease.retries.failed(call.sequence, exchange.sent)
        return self._journal.record(lease, call)

    def _give_up(self, exchange: Exchange) -> None:
        exchange.status, exchange.error = CLIENT_GONE, GONE
        self._keep(exchange)

    def _note_delivery(self, exchange: Exchange) -> None:
        exchange.lease.delivered_s[exchange.sequence] = exchange.lease.elapsed_s()


def _our_own(exchange: Exchange, error: Exception) -> ServerFault:
    note_failure("gateway_failed", exchange.lease.request, sequence=exchange.sequence)
    return ServerFault(500, f"The gateway failed: {type(error).__name__}.", "gateway")

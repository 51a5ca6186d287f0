"""A small host with FastAPI: operators issue packages and hand them out, nodes prove their keys, redeem and check in.

Records are in one SQLite file. Start it behind a proxy that does TLS:

    HANDFAST_URL=https://enrol.example.org uvicorn --app-dir examples/fastapi --factory host:from_environment
"""

import asyncio
import os
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

import handfast
from handfast import Registrar, work
from handfast.stores.sqlite import SqliteStore

Shown = Annotated[str, Header()]  # "Authorization: DPoP <token>" and "DPoP: <proof>", as RFC 9449 has it.
STATUS = {"not_found": 404, "denied": 403, "conflict": 409, "later": 503, "malformed": 400}


def create_app(store: SqliteStore, registrar: Registrar, operators: dict[str, str], executor: work.Executor) -> FastAPI:
    """``operators`` are their names by the SHA-256 digests, in hexadecimal, of their bearer tokens."""

    def run(command: Any) -> JSONResponse:
        answer = handfast.run(store, command, registrar=registrar)
        if answer["type"] == "refused":  # The audit knows the code; whoever asks is told the class.
            raise HTTPException(STATUS[answer["class"]], answer["class"])
        if answer["type"] == "use_nonce":
            challenge = {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": answer["nonce"]}
            return JSONResponse({"code": "use_nonce"}, 401, challenge)
        content = jsonable_encoder(answer, custom_encoder={handfast.Secret: handfast.Secret.expose})
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    async def loop() -> None:
        while True:
            with suppress(handfast.Error):
                await asyncio.to_thread(work.perform, store, executor, registrar=registrar)
            await asyncio.sleep(1)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        looping = asyncio.create_task(loop())
        yield
        looping.cancel()

    app = FastAPI(title="handfast", lifespan=lifespan)

    @app.exception_handler(handfast.InvalidInput)
    async def invalid(_: Request, error: handfast.InvalidInput) -> JSONResponse:
        return JSONResponse({"detail": str(error), "path": error.path}, 400)

    def operator(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        if not (name := operators.get(sha256(bearer.credentials.encode()).hexdigest())):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return f"operator:{name}"

    @app.post("/packages")
    def issue(package: Annotated[dict[str, Any], Body()], authority: Annotated[str, Depends(operator)]) -> JSONResponse:
        return run({**package, "type": "issue", "authority": authority})

    @app.post("/packages/{package}/deliver")
    def deliver(package: str, authority: Annotated[str, Depends(operator)]) -> JSONResponse:
        return run(handfast.deliver(to={"type": "operator", "package": package}, authority=authority))

    @app.post("/redeem")
    def redeem(authorization: Shown, dpop: Shown, request: Request) -> JSONResponse:
        source = request.client.host if request.client else None
        return run(handfast.redeem(token=authorization.removeprefix("DPoP "), proof=dpop, source=source))

    @app.post("/check-in")
    def check_in(authorization: Shown, dpop: Shown, body: Annotated[dict[str, Any], Body()]) -> JSONResponse:
        beat = {name: body[name] for name in ("node", "sequence", "attempt") if name in body}
        return run({**beat, "type": "check_in", "credential": authorization.removeprefix("DPoP "), "proof": dpop})

    return app


def from_environment() -> FastAPI:
    registrar = Registrar(
        {"base_url": os.environ["HANDFAST_URL"]},
        peppers={"current": "k1", "keys": {"k1": b64decode(os.environ["HANDFAST_PEPPER"])}},
        sealing={"current": "k1", "keys": {"k1": b64decode(os.environ["HANDFAST_SEALING"])}},
        signing={"current": "s1", "keys": {"s1": os.environ["HANDFAST_SIGNING"]}},  # openssl genpkey -algorithm ed25519
    )
    nobody: work.Executor = lambda effect, _: {"type": "failed", "reason": "nobody here does that"}
    operators = {os.environ["HANDFAST_OPERATOR_SHA256"]: "admin"}
    return create_app(SqliteStore("handfast.sqlite"), registrar, operators, nobody)

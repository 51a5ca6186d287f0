"""A small host with FastAPI: operators issue packages and hand them out, nodes redeem them and check in.

Records are in one SQLite file. Start it behind a proxy that does TLS:

    uvicorn --app-dir examples/fastapi --factory host:from_environment
"""

import asyncio
import os
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

import handfast
from handfast.stores.sqlite import SqliteStore
from handfast.types import Command

Text = Annotated[str, Body()]
STATUS = {"not_found": 404, "denied": 403, "conflict": 409, "later": 503, "malformed": 400}


def create_app(store: SqliteStore, registrar: handfast.Registrar, operators: dict[str, str]) -> FastAPI:
    """``operators`` are the SHA-256 digests, in hexadecimal, of the operators' bearer tokens, by their names."""

    def run(command: Command) -> JSONResponse:
        answer = handfast.run(store, command, registrar=registrar)
        if answer["type"] == "refused":  # The audit knows the code; whoever asks is told the class.
            raise HTTPException(STATUS[answer["class"]], answer["class"])
        content = jsonable_encoder(answer, custom_encoder={handfast.Secret: handfast.Secret.expose})
        return JSONResponse(content, headers={"Cache-Control": "no-store"})

    async def sweep() -> None:
        while True:
            with suppress(handfast.Busy, HTTPException):
                for key in await asyncio.to_thread(store.due):
                    await asyncio.to_thread(run, handfast.expire(key=key))
            await asyncio.sleep(1)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(sweep())
        yield
        sweeper.cancel()

    app = FastAPI(title="handfast", lifespan=lifespan)

    @app.exception_handler(handfast.InvalidInput)
    async def invalid(_: Request, error: handfast.InvalidInput) -> JSONResponse:
        return JSONResponse({"detail": str(error), "path": error.path}, 400)

    def operator(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        digest = sha256(bearer.credentials.encode()).hexdigest()
        for name, known in operators.items():
            if compare_digest(digest, known):
                return f"operator:{name}"
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})

    Operator = Annotated[str, Depends(operator)]

    @app.post("/packages")
    def issue(package: Annotated[dict[str, Any], Body()], authority: Operator) -> JSONResponse:
        command: Any = {**package, "type": "issue", "authority": authority}
        return run(command)

    @app.post("/packages/{package}/deliver")
    def deliver(package: str, authority: Operator) -> JSONResponse:
        return run(handfast.deliver(to={"type": "operator", "package": package}, authority=authority))

    @app.post("/redeem")
    def redeem(token: Text, fingerprint: Text, request: Request) -> JSONResponse:
        source = request.client.host if request.client else None
        return run(handfast.redeem(token=token, fingerprint=fingerprint, source=source))

    @app.post("/check-in")
    def check_in(node: Text, fingerprint: Text, sequence: Annotated[int, Body()]) -> JSONResponse:
        return run(handfast.check_in(node=node, fingerprint=fingerprint, sequence=sequence))

    return app


def from_environment() -> FastAPI:
    keys = {name: b64decode(os.environ[f"HANDFAST_{name.upper()}"]) for name in ("pepper", "sealing")}
    registrar = handfast.Registrar(
        {"vouched_fingerprints": True},
        peppers={"current": "k1", "keys": {"k1": keys["pepper"]}},
        sealing={"current": "k1", "keys": {"k1": keys["sealing"]}},
    )
    return create_app(SqliteStore("handfast.sqlite"), registrar, {"admin": os.environ["HANDFAST_OPERATOR_SHA256"]})

"""
The feature server that people write today: FastAPI, uvicorn, redis-py; with def or async def endpoints.
Arguments: port, redis port, sync or async.
"""
import sys
import time

import redis
import redis.asyncio
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

port, redis_port, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
app = FastAPI()
module = redis if kind == "sync" else redis.asyncio
client = module.Redis(host="127.0.0.1", port=redis_port, decode_responses=True)


class Single(BaseModel):
    entity_key: str


class Batch(BaseModel):
    entity_keys: list[str]


def single_answer(key, found):
    if not found:
        raise HTTPException(404, "not found")
    return {"entity_key": key, "features": found, "found": True}


def batch_pipeline(keys):
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(f"features:user:{key}")
    return pipeline


def batch_answer(keys, rows, started):
    results = [{"entity_key": key, "features": row, "found": bool(row)} for key, row in zip(keys, rows)]
    missing = [key for key, row in zip(keys, rows) if not row]
    return {"results": results, "missing": missing, "latency_ms": (time.perf_counter() - started) * 1000}


if kind == "sync":

    @app.post("/features")
    def features(request: Single):
        return single_answer(request.entity_key, client.hgetall(f"features:user:{request.entity_key}"))

    @app.post("/features/batch")
    def batch(request: Batch):
        started = time.perf_counter()
        rows = batch_pipeline(request.entity_keys).execute()
        return batch_answer(request.entity_keys, rows, started)

    @app.get("/health")
    def health():
        client.ping()
        return {"status": "ok", "redis": "connected"}

else:

    @app.post("/features")
    async def features(request: Single):
        return single_answer(request.entity_key, await client.hgetall(f"features:user:{request.entity_key}"))

    @app.post("/features/batch")
    async def batch(request: Batch):
        started = time.perf_counter()
        rows = await batch_pipeline(request.entity_keys).execute()
        return batch_answer(request.entity_keys, rows, started)

    @app.get("/health")
    async def health():
        await client.ping()
        return {"status": "ok", "redis": "connected"}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)

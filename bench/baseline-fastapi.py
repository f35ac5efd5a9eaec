"""The feature server that people write today: FastAPI, uvicorn, redis-py. Arguments: port, redis port."""
import sys
import time

import redis.asyncio as redis
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

port, redis_port = int(sys.argv[1]), int(sys.argv[2])
app = FastAPI()
client = redis.Redis(host="127.0.0.1", port=redis_port, decode_responses=True)


class Single(BaseModel):
    entity_key: str


class Batch(BaseModel):
    entity_keys: list[str]


@app.post("/features")
async def features(request: Single):
    found = await client.hgetall(f"features:user:{request.entity_key}")
    if not found:
        raise HTTPException(404, "not found")
    return {"entity_key": request.entity_key, "features": found, "found": True}


@app.post("/features/batch")
async def batch(request: Batch):
    started = time.perf_counter()
    pipeline = client.pipeline(transaction=False)
    for key in request.entity_keys:
        pipeline.hgetall(f"features:user:{key}")
    rows = await pipeline.execute()
    results = [
        {"entity_key": key, "features": row, "found": bool(row)} for key, row in zip(request.entity_keys, rows)
    ]
    missing = [key for key, row in zip(request.entity_keys, rows) if not row]
    return {"results": results, "missing": missing, "latency_ms": (time.perf_counter() - started) * 1000}


@app.get("/health")
async def health():
    try:
        await client.ping()
    except redis.RedisError:
        raise HTTPException(503, "redis")
    return {"status": "ok", "redis": "connected"}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)

# SPDX-License-Identifier: Apache-2.0
"""Lets tasks of asyncio GET one key with redis-py for some seconds, on the connections of its pool.

    redis_py_load.py SOCKET TASKS CONNECTIONS DEPTH SECONDS

With DEPTH above 1, a task sends so many commands in one pipeline. Prints requests per second, microseconds of this process's CPU time
per request, and the 99th percentile of the time of a request in milliseconds.
"""

import asyncio
import sys
import time

import redis.asyncio as redis


async def run(client: redis.Redis, tasks: int, depth: int, seconds: float) -> list[float]:
    end = time.monotonic() + seconds
    times: list[float] = []

    async def work() -> None:
        began = time.monotonic()
        while began < end:
            if depth == 1:
                values = [await client.get("key")]
            else:
                async with client.pipeline(transaction=False) as pipeline:
                    for _ in range(depth):
                        pipeline.get("key")
                    values = await pipeline.execute()
            assert values == [b"value"] * depth
            ended = time.monotonic()
            times.extend([ended - began] * depth)
            began = ended

    await asyncio.gather(*(work() for _ in range(tasks)))
    return times


async def main() -> None:
    socket, tasks, connections, depth, seconds = sys.argv[1:]
    pool = redis.BlockingConnectionPool(
        connection_class=redis.UnixDomainSocketConnection, path=socket, max_connections=int(connections), timeout=None
    )
    client = redis.Redis(connection_pool=pool)
    await run(client, int(tasks), int(depth), 0.3)
    cpu, began = time.process_time(), time.monotonic()
    times = sorted(await run(client, int(tasks), int(depth), float(seconds)))
    passed, cpu = time.monotonic() - began, time.process_time() - cpu
    print(f"{len(times) / passed:.0f} {cpu / len(times) * 1e6:.2f} {times[len(times) * 99 // 100] * 1e3:.3f}")
    await client.aclose()


asyncio.run(main())

# SPDX-License-Identifier: Apache-2.0

"""Runs the workloads on the Python package asyncio-connection-pool, on demand.

Reads lines "WORKLOAD OPERATIONS" and answers each with a line of JSON. Runs until its input ends.
"""

import asyncio
import json
import sys
import time

from asyncio_connection_pool import ConnectionPool, ConnectionStrategy


class Connection:
    def __init__(self):
        self.uses = 0


class Strategy(ConnectionStrategy[Connection]):
    def __init__(self, connect_time=0.0):
        self.connect_time = connect_time
        self.opened = 0
        self.closed = 0

    async def make_connection(self):
        if self.connect_time > 0:
            await asyncio.sleep(self.connect_time)
        self.opened += 1
        return Connection()

    def connection_is_closed(self, conn):
        return False

    async def close_connection(self, conn):
        self.closed += 1


async def open_connections(pool, count):
    if count > 0:
        async with pool.get_connection():
            await open_connections(pool, count - 1)


class Clock:
    """Nanoseconds per operation, on the wall and of the CPU."""

    def __init__(self):
        self.wall = time.perf_counter_ns()
        self.cpu = time.process_time_ns()

    def per_operation(self, operations, **more):
        return {
            "wall": (time.perf_counter_ns() - self.wall) / operations,
            "cpu": (time.process_time_ns() - self.cpu) / operations,
            **more,
        }


async def one_task(operations):
    pool = ConnectionPool(strategy=Strategy(), max_size=8)
    await open_connections(pool, 8)
    clock = Clock()
    for _ in range(operations):
        async with pool.get_connection() as connection:
            connection.uses += 1
    return clock.per_operation(operations)


async def contended(operations):
    pool = ConnectionPool(strategy=Strategy(), max_size=8)
    await open_connections(pool, 8)
    each = max(operations // 64, 1)
    waits = []

    async def caller():
        for _ in range(each):
            before = time.perf_counter_ns()
            async with pool.get_connection():
                waits.append(time.perf_counter_ns() - before)
                await asyncio.sleep(0)

    clock = Clock()
    await asyncio.gather(*[caller() for _ in range(64)])
    result = clock.per_operation(each * 64)
    waits.sort()
    for name, share in ("p50", 0.5), ("p99", 0.99), ("p999", 0.999):
        result[name] = waits[min(int(len(waits) * share), len(waits) - 1)]
    return result


async def spike(operations):
    strategy = Strategy(connect_time=0.150)
    pool = ConnectionPool(strategy=strategy, max_size=50)
    await open_connections(pool, 5)

    async def caller():
        async with pool.get_connection():
            await asyncio.sleep(0.002)

    clock = Clock()
    await asyncio.gather(*[caller() for _ in range(50)])
    return clock.per_operation(1, connections=strategy.opened - strategy.closed)


WORKLOADS = {"w1": one_task, "w3": contended, "w7": spike}


def main():
    for line in sys.stdin:
        name, operations = line.split()
        result = asyncio.run(WORKLOADS[name](int(operations)))
        print(json.dumps(result), flush=True)


main()

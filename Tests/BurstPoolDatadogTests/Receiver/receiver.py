# SPDX-License-Identifier: Apache-2.0

"""Receive DogStatsD datagrams and print a line of JSON for each message.

    receiver.py grammar|independent udp|PATH

`grammar` is the strict parser of the published description. `independent` is the receiver of the package yellowbox-statsd,
which parses only metrics. The first line contains the port. The program ends when its input ends.
"""

import json
import os
import socket
import sys
import threading


def emit(**what):
    # The lines come from several threads and must not be mixed.
    os.write(1, (json.dumps(what) + "\n").encode())


def listen(where):
    if where == "udp":
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        emit(port=receiver.getsockname()[1])
    else:
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(where)
        emit(port=0)
    return receiver


def receive(receiver, parse):
    while True:
        datagram = receiver.recv(65536)
        try:
            messages = parse(datagram)
        except Exception as error:  # The test needs to know every error.
            emit(error="%s: %s" % (type(error).__name__, error), datagram=repr(datagram))
            continue
        for message in messages:
            emit(**message)


def start(parse, where):
    receiver = listen(where)
    threading.Thread(target=receive, args=(receiver, parse), daemon=True).start()


def metric_of(metric):
    return {
        "kind": metric.type,
        "name": metric.name,
        "values": [float(value) for value in metric.values],
        "sampleRate": metric.sample_rate,
        "tags": sorted(metric.tags) if metric.tags is not None else None,
        "timestamp": metric.metric_timestamp,
        "containerID": metric.container_id,
    }


def start_independent(where):
    from yellowbox_statsd import StatsdService
    from yellowbox_statsd.metrics import Metric

    if where == "udp":
        service = StatsdService(host="127.0.0.1", buffer_size=65536)
        service.add_metric_callback(lambda metric: emit(**metric_of(metric)))
        service.start()
        emit(port=service.port)
    else:
        # The service supports only UDP, but its parser accepts datagrams from any source.
        start(lambda datagram: [metric_of(Metric.parse(line)) for line in datagram.decode().splitlines()], where)


def main():
    reader, where = sys.argv[1:]
    if reader == "grammar":
        import grammar

        start(grammar.parse_datagram, where)
    else:
        start_independent(where)
    sys.stdin.read()
    os._exit(0)


main()

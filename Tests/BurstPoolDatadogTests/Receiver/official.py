# SPDX-License-Identifier: Apache-2.0

"""Send events, service checks and metrics with Datadog's own Python client, one datagram for each line of input.

    official.py PORT TAG...

A line is JSON with the name of the method and its named arguments. The TAGs are global.
"""

import json
import os
import sys

for name in list(os.environ):
    if name.startswith(("DD_", "DATADOG_")):
        del os.environ[name]

from datadog.dogstatsd.base import DogStatsd  # noqa: E402  It reads the environment when it is imported.

client = DogStatsd(
    host="127.0.0.1",
    port=int(sys.argv[1]),
    constant_tags=sys.argv[2:],
    disable_telemetry=True,
    disable_buffering=True,
    disable_aggregation=True,
    origin_detection_enabled=False,
)
for line in sys.stdin:
    call = json.loads(line)
    getattr(client, call["method"])(**call["arguments"])

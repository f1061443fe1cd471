// SPDX-License-Identifier: Apache-2.0

import Testing

/// Tests of the program as a process. They run one after another, so that they do not disturb each other.
@Suite("The server", .serialized)
enum ServerTests {}

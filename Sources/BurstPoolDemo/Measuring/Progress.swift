// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The progress of one task. Each task has its own, so that the tasks do not share cache lines.
final class Progress: Sendable {
    let commands = Atomic<Int>(0)
    let errors = Atomic<Int>(0)
}

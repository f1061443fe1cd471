// SPDX-License-Identifier: Apache-2.0

/// The most recent error of some kind, without a lock.
///
/// A reader takes the error out, copies it and puts it back. Another reader that comes in between finds no error; that is
/// rare, because errors are read when callers fail, and harmless, because the error only explains a failure.
final class LatestError: Sendable {
    private final class Entry: Sendable {
        let error: (any Error)?
        init(_ error: (any Error)?) { self.error = error }
    }

    /// That there is no error is an entry too, so that a reader never puts back an old error over it.
    private let box = ExchangeBox<Entry>()

    func store(_ error: (any Error)?) {
        box.put(Entry(error))
    }

    func load() -> (any Error)? {
        guard let entry = box.take() else { return nil }
        // If the box is no longer empty, a newer error has been stored meanwhile.
        _ = box.putIfEmpty(entry)
        return entry.error
    }
}

// SPDX-License-Identifier: Apache-2.0

import CBurstPool
import Testing

@Suite("The pool releases the owner that it holds for its user once", .timeLimit(.minutes(5)))
struct OwnerTests {
    private final class Owner {
        let onRelease: () -> Void
        init(onRelease: @escaping () -> Void) { self.onRelease = onRelease }
        deinit { onRelease() }
    }

    private func configuration(maxSize: UInt32, onRelease: @escaping () -> Void) -> bp_pool_configuration {
        var configuration = bp_pool_configuration()
        configuration.max_size = maxSize
        configuration.hard_limit = maxSize
        configuration.owner = Unmanaged.passRetained(Owner(onRelease: onRelease)).toOpaque()
        configuration.release_owner = { Unmanaged<Owner>.fromOpaque($0!).release() }
        return configuration
    }

    @Test("when the pool is destroyed")
    func destroyed() {
        var released = 0
        var settings = configuration(maxSize: 1) { released += 1 }
        var pool: OpaquePointer?
        #expect(bp_pool_create(&settings, &pool) == .ok)
        #expect(bp_pool_owner(pool) == settings.owner && released == 0)
        #expect(bp_pool_destroy(pool) == .ok)
        #expect(released == 1)
    }

    @Test("when the pool cannot be created")
    func notCreated() {
        var released = 0
        var settings = configuration(maxSize: 0) { released += 1 }
        var pool: OpaquePointer?
        #expect(bp_pool_create(&settings, &pool) == .invalidConfiguration)
        #expect(released == 1)
    }
}

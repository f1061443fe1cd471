// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation
import Hummingbird
import NIOCore

/// `/pool/workload`: what is asked of the pool, as JSON for the command `burst-pool-size`.
struct WorkloadRoute {
    let recorder: WorkloadRecorder

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("pool/workload") { _, _ in
            let json = try JSONEncoder().encode(recorder.workload)
            return Response(
                status: .ok,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: json))
            )
        }
    }
}

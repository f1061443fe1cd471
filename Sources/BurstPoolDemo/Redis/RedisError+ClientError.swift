// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

extension RedisError: ClientError {
    var kind: String { "RedisError.\(code)" }

    var line: String { "RedisError.\(self)" }
}

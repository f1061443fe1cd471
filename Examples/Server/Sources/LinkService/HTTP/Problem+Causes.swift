// SPDX-License-Identifier: Apache-2.0

import BurstPool
import HTTPTypes
import Hummingbird
import NIOCore

extension Problem {
    /// Converts the error of a request into a response.
    ///
    /// The response tells the client what it can do. The error itself is only logged, because it may contain host names.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem:
            self = problem
        case let error as ConnectionPoolError:
            self.init(pool: error)
        case let error as any DatabaseError:
            self.init(database: error)
        case is CancellationError:
            self = .unavailable("The service is stopping.")
        case is NIOTooManyBytesError:
            self.init(.contentTooLarge, "The body is too long for a link.")
        case let error as HTTPError:
            self.init(error.status, error.body ?? "There is no resource for this method at this path.")
        case let error as any HTTPResponseError:
            self.init(error.status, error.status.reasonPhrase)
        default:
            self.init(.internalServerError, "The service has an internal error.")
        }
    }

    private init(pool error: ConnectionPoolError) {
        switch error.code {
        case .acquireTimedOut where error.underlyingError != nil:
            self = .unavailable("The database cannot be reached.")
        case .connectTimedOut, .circuitOpen:
            self = .unavailable("The database cannot be reached.")
        case .acquireTimedOut, .tooManyWaiters, .overloaded, .outOfMemory:
            self = .unavailable("The service is overloaded.")
        case .poolShutDown:
            self = .unavailable("The service is stopping.")
        default:
            self.init(.internalServerError, "The service has an internal error.")
        }
    }

    private init(database error: any DatabaseError) {
        if error.isOutage {
            self = .unavailable(error.isAnswer ? "The database is not ready." : "The database cannot be reached.")
        } else {
            self.init(.internalServerError, "The service has an internal error.")
        }
    }
}

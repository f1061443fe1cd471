// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// An error response in the format of RFC 9457.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// What is wrong with this request, in one sentence.
    let detail: String
    /// The number of seconds after which the client may try again.
    var retryAfter: Int?

    init(_ status: HTTPResponse.Status, _ detail: String, retryAfter: Int? = nil) {
        self.status = status
        self.detail = detail
        self.retryAfter = retryAfter
    }

    /// Returns a problem that is temporary: an outage or an overload.
    static func unavailable(_ detail: String) -> Problem {
        Problem(.serviceUnavailable, detail, retryAfter: 1)
    }
}

extension Problem: HTTPResponseError {
    private struct Body: Encodable {
        // RFC 9457 prescribes the phrase of the status as the title for this type.
        let type = "about:blank"
        let title: String
        let status: Int
        let detail: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let body = try encoder.encode(Body(title: status.reasonPhrase, status: status.code, detail: detail))
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDemo

@Suite("The view", .timeLimit(.minutes(5)))
struct ViewTests {
    @Test("a line is cut to the width without cutting a control sequence")
    func cutting() {
        var line = StyledLine("abc", .red)
        line.add("def")
        #expect(line.width == 6)
        #expect(line.rendered(width: 4, color: false) == "abcd")
        #expect(line.rendered(width: 2, color: true) == "\u{1B}[38;5;203mab\u{1B}[0m")
        #expect(line.rendered(width: 0, color: true) == "")
    }

    @Test("connections in the server's list are found by their exact name")
    func clientList() {
        let text = """
            id=3 addr=/run/redis.sock:0 name=demo-1 age=0 cmd=get
            id=4 addr=/run/redis.sock:0 name=demo-12 age=0 cmd=get
            id=17 addr=/run/redis.sock:0 fd=9 name=demo-1 age=0 cmd=client|list
            id=18 name= age=0

            """
        #expect(ClientList.ids(named: "demo-1", in: text) == [3, 17])
        #expect(ClientList.ids(named: "demo-1", in: "").isEmpty)
    }
}

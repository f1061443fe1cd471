/// Writes Prometheus's text format, version 0.0.4: as much of it as gauges and counters without free text in their labels need.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A number, and the name and value of its label if it has one.
    typealias Value = (label: String?, of: String?, value: Int)

    private(set) var text = ""

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        write(name, help, "gauge", [(nil, nil, value)])
    }

    mutating func gauge(_ name: String, _ help: String, _ values: [Value]) {
        write(name, help, "gauge", values)
    }

    mutating func counter(_ name: String, _ help: String, _ values: [Value]) {
        write(name, help, "counter", values)
    }

    private mutating func write(_ name: String, _ help: String, _ type: String, _ values: [Value]) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for (label, of, value) in values {
            if let label, let of {
                text += "\(name){\(label)=\"\(of)\"} \(value)\n"
            } else {
                text += "\(name) \(value)\n"
            }
        }
    }
}

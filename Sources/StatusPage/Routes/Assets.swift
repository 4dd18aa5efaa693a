// The files of the folder Page, which the build puts in the program.

/// A file of the page.
package struct Asset: Sendable {
    /// The media type.
    package let type: String
    /// The content.
    package let body: [UInt8]
    /// Changes with the content: FNV-1a, 64 bits, of the bytes.
    let tag: String

    init(type: String, _ body: [UInt8]) {
        self.type = type
        self.body = body
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        tag = "\"\(String(hash, radix: 16))\""
    }

    private static let script = "text/javascript; charset=utf-8"

    /// All files by path.
    package static let all: [String: Asset] = [
        "/": Asset(type: "text/html; charset=utf-8", PackageResources.index_html),
        "/style.css": Asset(type: "text/css; charset=utf-8", PackageResources.style_css),
        "/icon.svg": Asset(type: "image/svg+xml", PackageResources.icon_svg),
        "/app.js": Asset(type: script, PackageResources.app_js),
        "/dom.js": Asset(type: script, PackageResources.dom_js),
        "/charts.js": Asset(type: script, PackageResources.charts_js),
        "/clusters.js": Asset(type: script, PackageResources.clusters_js),
        "/map.js": Asset(type: script, PackageResources.map_js),
        "/sources.js": Asset(type: script, PackageResources.sources_js),
        "/labels.js": Asset(type: script, PackageResources.labels_js),
        "/checkpoints.js": Asset(type: script, PackageResources.checkpoints_js),
    ]
}

// swift-tools-version: 6.1
// clusterd: a daemon that learns to cluster images while they stream past.
// The targets form a strict DAG, listed lowest first; docs/architecture.md draws it.
import PackageDescription

let package = Package(
    name: "clusterd",
    products: [
        .executable(name: "clusterd", targets: ["clusterd"]),
        .executable(name: "clusterd-bench", targets: ["clusterd-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "COpenBLAS"),
        .systemLibrary(name: "CTurboJPEG"),
        .systemLibrary(name: "CPNG"),
        .systemLibrary(name: "CWebP"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CMalloc"),

        // The engine: no third-party Swift package.
        // SwiftPM compiles C at -O0 in debug builds, which would make debug tests of the kernels hours long.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "Tensors", dependencies: ["CKernels", "COpenBLAS"]),
        .target(name: "NeuralNetwork", dependencies: ["Tensors"]),
        .target(name: "Imaging", dependencies: ["Tensors", "CKernels", "CTurboJPEG", "CPNG", "CWebP"]),
        .target(name: "ContrastiveClustering", dependencies: ["NeuralNetwork", "Imaging"]),
        .target(name: "Safetensors", dependencies: ["Tensors"]),
        .target(name: "Checkpoints", dependencies: ["Safetensors", "ContrastiveClustering", "CCrypto"]),

        .target(name: "Telemetry"),

        // The stream.
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ"]),
        .target(name: "StreamProtocol"),
        .target(name: "Datasets", dependencies: ["StreamProtocol", "Tensors", "CZlib"]),
        .target(name: "Offline", dependencies: ["ContrastiveClustering", "Checkpoints", "Datasets"]),
        .target(name: "Remote", dependencies: ["ZeroMQ", "StreamProtocol", "Checkpoints"]),
        .target(name: "Client", dependencies: ["Remote", "ZeroMQ", "StreamProtocol", "Datasets"]),
        .target(name: "Journal", dependencies: [.product(name: "GRDB", package: "GRDB.swift"), "StreamProtocol"]),
        .target(name: "StatusPage", dependencies: ["StreamProtocol"], resources: [.embedInCode("Page")]),
        .target(
            name: "Daemon",
            dependencies: [
                "Tensors", "ZeroMQ", "StreamProtocol", "Imaging", "ContrastiveClustering", "Checkpoints", "Remote",
                "Journal", "Telemetry", "StatusPage", "CMalloc",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ]),

        // The executables.
        .executableTarget(
            name: "clusterd",
            dependencies: [
                "Daemon", "Client", "Remote", "Datasets", "Journal", "Offline", "StreamProtocol", "ZeroMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "clusterd-bench",
            dependencies: [
                "ContrastiveClustering",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Tests, one target a module.
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "NeuralNetworkTests", dependencies: ["NeuralNetwork"]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "Safetensors"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ContrastiveClusteringTests", dependencies: ["ContrastiveClustering", "Safetensors"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors"], resources: [.copy("Fixtures")]),
        .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints"]),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"]),
        .testTarget(name: "ZeroMQTests", dependencies: ["ZeroMQ"]),
        .target(name: "SeededRandom", path: "Tests/SeededRandom"),
        .testTarget(name: "StreamProtocolTests", dependencies: ["StreamProtocol", "SeededRandom"]),
        .testTarget(
            name: "JournalTests",
            dependencies: ["Journal", "StreamProtocol", .product(name: "GRDB", package: "GRDB.swift")]),
        .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "StreamProtocol", "CZlib"]),
        .testTarget(
            name: "ClientTests",
            dependencies: ["Client", "Remote", "ZeroMQ", "Datasets", "StreamProtocol", "Checkpoints"]),
        .testTarget(name: "OfflineTests", dependencies: ["Offline"]),
        .target(name: "HTTPTestClient", path: "Tests/HTTPTestClient"),
        .testTarget(name: "StatusPageTests", dependencies: ["StatusPage", "StreamProtocol", "HTTPTestClient"]),
        .testTarget(
            name: "DaemonTests", dependencies: ["Daemon", "Telemetry", "HTTPTestClient"], exclude: ["clients"]),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Daemon", "Client", "Remote", "Datasets", "Journal", "Checkpoints", "Imaging", "StatusPage",
                "StreamProtocol", "ZeroMQ", "CZlib", "CCrypto", "SeededRandom",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            resources: [.copy("Corpus")]),
    ],
    swiftLanguageModes: [.v6]
)

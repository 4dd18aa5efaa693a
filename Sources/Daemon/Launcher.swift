// The daemon as a process: configuration in, exit code out. The command line is a thin layer over this.

import Checkpoints
import ContrastiveClustering
import Foundation
import Journal
import Logging
import Tensors
import ZeroMQ

/// Runs the daemon, or only checks what it would run with.
public enum Launcher {
    /// How a process ends, numbered as by sysexits.h.
    public enum ExitCode: Int32, Sendable {
        /// All went well.
        case success = 0
        /// A file, a socket or the disk failed.
        case inputOutput = 74
        /// Another process is in the way.
        case tryAgain = 75
        /// The configuration is wrong.
        case configuration = 78
    }

    /// Prints the configuration with where each value comes from, or every mistake in it.
    ///
    /// - Parameters:
    ///   - file: the configuration file; nil for none.
    ///   - assignments: the arguments of `--set`.
    public static func checkConfiguration(file: String?, assignments: [String]) -> ExitCode {
        do {
            let loaded = try load(file: file, assignments: assignments)
            print("valid\n\n\(loaded.report)")
            return .success
        } catch {
            return report(error)
        }
    }

    /// Prints a configuration file with every setting at its default, none of them in force.
    ///
    /// - Parameter stateDirectory: the folder that it names for files.
    public static func printConfigurationTemplate(stateDirectory: String) -> ExitCode {
        print(ConfigurationTemplate.text(stateDirectory: stateDirectory), terminator: "")
        return .success
    }

    /// Runs the daemon until a signal ends it.
    ///
    /// - Parameters:
    ///   - file: the configuration file; nil for none.
    ///   - assignments: the arguments of `--set`.
    public static func serve(file: String?, assignments: [String]) -> ExitCode {
        // Before anything is printed or a thread started: it begins the process anew.
        OpenBLAS.restartForWideVectors()
        let log = LogOutput(journalStream: ProcessInfo.processInfo.environment["JOURNAL_STREAM"])
        defer { log.finish() }
        let manager = ServiceManager.inherited(logger: log.logger)
        do {
            let loaded = try load(file: file, assignments: assignments)
            OpenFileLimit.raise()
            LargeBlocks.giveBackWhenFreed()
            log.apply(loaded.configuration.log)
            return try run(loaded, manager: manager, log: log) { try load(file: file, assignments: assignments) }
        } catch {
            manager.ended("failed: \(error)")
            return report(error)
        }
    }

    /// What signals ask for.
    private struct Wishes: Sendable {
        var stop: Int32?
        var reconfigure = false
    }

    private static func run(
        _ loaded: LoadedConfiguration, manager: ServiceManager, log: LogOutput,
        reload: () throws -> LoadedConfiguration
    ) throws -> ExitCode {
        let logger = log.logger
        let configuration = loaded.configuration
        let wishes = Monitor(Wishes())
        let signals = SignalHandling(
            onStop: { number in wishes.withLock { $0.stop = number } },
            onHangup: { wishes.withLock { $0.reconfigure = true } })
        manager.starting()
        logStart(loaded, to: logger)
        let service = try Service(configuration: configuration, logger: logger) { role in
            LearnerHandover.cpu(role, configuration: configuration)
        }
        try service.start()
        service.waitUntilWarm()
        manager.ready(service.subject)

        func nextStop() -> Int32? {
            wishes.wait { wishes in
                if let stop = wishes.stop { return .done(stop) }
                guard wishes.reconfigure else { return .wait(until: nil) }
                wishes.reconfigure = false
                return .done(nil)
            }
        }
        var stop = nextStop()
        while stop == nil {
            manager.reloading { reconfigure(service, log: log, reload: reload) }
            stop = nextStop()
        }
        let number = stop ?? SIGTERM
        logger.notice("stopping", metadata: ["signal": "\(SignalHandling.name(of: number))"])
        manager.stopping()
        let summary = service.stop()
        let line = summary.fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        logger.notice("stopped: \(line)")
        manager.ended("stopped")
        withExtendedLifetime(signals) {}
        return service.lastCheckpointFailed || service.journalFailed ? .inputOutput : .success
    }

    /// SIGHUP: the configuration is read again; a mistake in it changes nothing.
    private static func reconfigure(_ service: Service, log: LogOutput, reload: () throws -> LoadedConfiguration) {
        let logger = log.logger
        do {
            let configuration = try reload().configuration
            let change = service.reconfigure(configuration)
            log.apply(configuration.log)
            logger.notice(
                "the configuration has been read again",
                metadata: [
                    "changed": "\(change.changed.isEmpty ? "nothing" : change.changed.joined(separator: ","))"
                ])
            if !change.needsRestart.isEmpty {
                logger.warning(
                    "these settings are different now, and need a restart",
                    metadata: ["settings": "\(change.needsRestart.joined(separator: ","))"])
            }
        } catch {
            for line in "\(error)".split(separator: "\n") { logger.error("\(line)") }
            logger.error("the configuration stays as it was")
        }
    }

    private static func logStart(_ loaded: LoadedConfiguration, to logger: Logger) {
        let configuration = loaded.configuration
        logger.info(
            "clusterd starts",
            metadata: [
                "version": "\(clusterdVersion)", "instructions": "\(InstructionSet.best.rawValue)",
                "blas": "\(OpenBLAS.coreName)", "threads": "\(configuration.engineThreads)",
            ])
        logger.info(
            "model",
            metadata: [
                "architecture": "\(configuration.model.architecture.rawValue)",
                "image_size": "\(configuration.model.imageSize)", "clusters": "\(configuration.model.clusters)",
                "batch_size": "\(configuration.train.batchSize)",
            ])
    }

    // MARK: Configuration and mistakes

    /// A configuration file that cannot be read.
    private struct UnreadableFile: Error, CustomStringConvertible {
        let description: String
    }

    private static func load(file: String?, assignments: [String]) throws -> LoadedConfiguration {
        var content: (name: String, text: String)?
        if let file {
            do {
                content = (file, String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self))
            } catch {
                throw UnreadableFile(description: "cannot read \(file): \(String(cString: strerror(errno)))")
            }
        }
        return try ConfigurationLoader.load(
            file: content, environment: ProcessInfo.processInfo.environment, assignments: assignments)
    }

    /// Says on standard error why the process ends, and how it is to end.
    private static func report(_ error: any Error) -> ExitCode {
        let prefix = error is ConfigurationError ? "" : "clusterd: "
        FileHandle.standardError.write(Data("\(prefix)\(error)\n".utf8))
        return switch error {
        case is ConfigurationError, is StateMismatch, is KeyFileError, is TokenFileError: .configuration
        case let error as CheckpointError where error.kind == .otherModel: .configuration
        case let error as CheckpointError where error.kind == .inUse: .tryAgain
        case let error as JournalError where error.kind == .inUse: .tryAgain
        default: .inputOutput
        }
    }
}

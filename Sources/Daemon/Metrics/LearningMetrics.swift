// Metrics of what is learnt: training, the clusters, and how well they agree with labels.

import ContrastiveClustering
import Telemetry

/// Training and clusters.
enum LearningMetrics {
    // Training.
    static let trained = Metric.counter("clusterd_images_trained_total", "Images trained on")
    static let untrained = Metric.counter(
        "clusterd_images_untrained_total",
        "Images assigned and not trained on: training was behind, was paused, or too few were left at the end",
        labels: ["reason"])
    static let steps = Metric.counter("clusterd_training_steps_total", "Training steps in this run")
    static let skipped = Metric.counter(
        "clusterd_skipped_steps_total", "Steps that nothing was learnt from, their losses or gradients not being finite"
    )
    static let restorations = Metric.counter(
        "clusterd_restorations_total", "How often the last good checkpoint was taken back after skipped steps")
    static let paused = Metric.gauge("clusterd_training_paused", "1 while training is paused")
    static let bufferImages = Metric.gauge("clusterd_training_buffer_images", "Decoded images that wait for training")
    static let bufferLimit = Metric.gauge(
        "clusterd_training_buffer_limit_images", "Images that the training buffer holds")
    static let trainingStep = Metric.gauge("clusterd_training_step", "Steps that the model in training has learnt from")
    static let servingStep = Metric.gauge(
        "clusterd_serving_step", "Steps that the weights which assign images have learnt from")
    static let loss = Metric.gauge(
        "clusterd_loss", "The last step's loss: instance, cluster and entropy, and total, their sum", labels: ["part"])

    // Clusters.
    static let labelEpoch = Metric.gauge(
        "clusterd_label_epoch", "The numbering of clusters; a reload or rollback begins a new one")
    static let clusterImages = Metric.counter(
        "clusterd_cluster_images_total", "Images assigned to a cluster since the label epoch began", labels: ["cluster"]
    )
    static let recentImages = Metric.gauge(
        "clusterd_cluster_recent_images", "Images of a cluster among the last 4096", labels: ["cluster"])
    static let largestShare = Metric.gauge(
        "clusterd_cluster_largest_share_ratio", "The largest cluster's share of the last 4096 images")
    static let entropy = Metric.gauge(
        "clusterd_cluster_entropy_ratio",
        "Entropy of the last 4096 images' clusters: 1 where all are used evenly, 0 where one has all")
    static let agreement = Metric.gauge(
        "clusterd_label_agreement_ratio",
        "How well clusters agree with the labels that senders give, 1 at best: nmi, acc and ari", labels: ["score"])
    static let labelled = Metric.gauge(
        "clusterd_labelled_images", "Images with a label that clusterd_label_agreement_ratio is of")

    static let all = [
        trained, untrained, steps, skipped, restorations, paused, bufferImages, bufferLimit, trainingStep, servingStep,
        loss, labelEpoch, clusterImages, recentImages, largestShare, entropy, agreement, labelled,
    ]

    /// Clusters told apart, those with the lowest numbers; all further ones are told as one.
    static let maximumClusters = 100

    /// Adds the values of `report`.
    static func read(
        _ report: StatusReport, counters: PipelineCounters, bufferCapacity: Int, scores: ClusteringScores?,
        into samples: inout MetricSamples
    ) {
        let learning = report.learning
        samples.add(trained, report.trained.images)
        samples.add(untrained, counters.leftOutBufferFull, labels: ["behind"])
        samples.add(untrained, counters.leftOutPaused, labels: ["paused"])
        samples.add(untrained, counters.leftOutRest, labels: ["rest"])
        samples.add(steps, report.steps)
        samples.add(skipped, learning.skippedSteps)
        samples.add(restorations, learning.restorations)
        samples.add(paused, report.isPaused)
        samples.add(bufferImages, report.waiting.training)
        samples.add(bufferLimit, bufferCapacity)
        samples.add(trainingStep, learning.version.step)
        samples.add(servingStep, report.serving.step)
        if let losses = learning.losses {
            samples.add(loss, losses.instance, labels: ["instance"])
            samples.add(loss, losses.cluster, labels: ["cluster"])
            samples.add(loss, losses.entropy, labels: ["entropy"])
            samples.add(loss, losses.total, labels: ["total"])
        }
        samples.add(labelEpoch, report.serving.labelEpoch)
        for (number, (size, recent)) in zip(report.usage.sizes, report.usage.recent).enumerated() {
            let labels = [number < maximumClusters ? "\(number)" : LabelValues.other]
            samples.add(clusterImages, size, labels: labels)
            samples.add(recentImages, recent, labels: labels)
        }
        if let share = report.usage.largestShare { samples.add(largestShare, share) }
        if let value = report.usage.entropy { samples.add(entropy, value) }
        guard let scores else { return }
        samples.add(agreement, scores.normalizedMutualInformation, labels: ["nmi"])
        samples.add(agreement, scores.accuracy, labels: ["acc"])
        samples.add(agreement, scores.adjustedRandIndex, labels: ["ari"])
        samples.add(labelled, scores.images)
    }
}

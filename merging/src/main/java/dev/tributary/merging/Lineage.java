package dev.tributary.merging;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.Setting;
import dev.tributary.models.CalibrationSet;
import dev.tributary.tensors.Digest;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Everything that went into a merged model and what came of it: the content of `tributary.json`.
///
/// @param identity the generation's id
/// @param base digest of the base's folder
/// @param provenance where the request came from
/// @param learnt how the coefficients were found; null for methods that learn none
/// @param tuning how the scale was chosen; null where it was not
/// @param sums what identifies the inputs once they have been merged; null where their digests are
///   known
record Lineage(
        GenerationIdentity identity,
        Digest base,
        Provenance provenance,
        @Nullable DivMergeResult learnt,
        @Nullable ScaleChoice tuning,
        @Nullable InputSums sums) {
    private static final int FORMAT = 1;

    static GenerationIdentity identity(MergePlan plan, Digest base) {
        SortedMap<String, Digest> experts = new TreeMap<>();
        SortedMap<String, Digest> calibrations = new TreeMap<>();
        SortedMap<String, SortedMap<String, Setting>> settings = new TreeMap<>();
        for (Member member : plan.members()) {
            experts.put(member.task(), member.digest());
            settings.put(member.task(), member.settings());
            CalibrationSet calibration = member.calibration();
            if (calibration != null) {
                calibrations.put(member.task(), calibration.digest());
            }
        }
        return GenerationIdentity.of(
                base,
                experts,
                settings,
                plan.method(),
                calibrations,
                plan.vocabulary().map(VocabularyPlan::digest));
    }

    /// The lineage of a merge that has been carried out, with its inputs' digests.
    Lineage identified(MergePlan plan) {
        if (sums == null) {
            return this;
        }
        Digest digest = sums.digest(plan.base());
        return new Lineage(identity(plan, digest), digest, provenance, learnt, tuning, sums);
    }

    @Nullable Coefficients coefficients() {
        return learnt == null ? null : learnt.coefficients();
    }

    /// The lineage as a file, without times or places: the same merge, the same bytes.
    String json(MergePlan plan, Digest mergedFile) {
        ObjectNode root = JsonText.object();
        root.put("format", FORMAT);
        root.put("id", identity.digest().value());
        if (sums == null) {
            root.put("merged_file", mergedFile.value());
        } else {
            root.put("merged_weights", mergedFile.value());
            root.put("digests", InputSums.DIGESTS);
        }
        if (provenance.pool() != null) {
            root.put("pool", provenance.pool());
            root.put("generation", provenance.number());
        }
        root.put("started_from", provenance.startedFrom());
        ObjectNode baseNode = root.putObject("base");
        baseNode.put("name", provenance.baseName());
        baseNode.put("digest", base.value());
        ObjectNode method = root.putObject("method");
        method.put("id", plan.method().id());
        method.put("version", plan.method().version());
        plan.method().options().forEach(method.putObject("options")::put);
        plan.vocabulary().ifPresent(v -> vocabulary(v, root.putObject("vocabulary")));
        members(plan, root.putArray("members"));
        if (learnt != null) {
            learnt(learnt, root);
        }
        if (tuning != null) {
            tuning(tuning, root.putObject("tuning"));
        }
        return JsonText.write(root);
    }

    private static void vocabulary(VocabularyPlan vocabulary, ObjectNode node) {
        node.put("source", vocabulary.source());
        node.put("tokens", vocabulary.tokens());
        node.put("rows", vocabulary.rows());
        node.put("added", vocabulary.added().size());
        node.put("digest", vocabulary.digest().value());
        ArrayNode members = node.putArray("members");
        for (VocabularyPlan.Share share : vocabulary.members()) {
            ObjectNode member = members.addObject();
            member.put("task", share.task());
            member.put("shared", share.shared());
            member.put("missing", share.missing());
            member.put("left_out", share.leftOut());
        }
    }

    private void members(MergePlan plan, ArrayNode members) {
        for (Member member : plan.members()) {
            ObjectNode node = members.addObject();
            node.put("task", member.task());
            node.put("digest", member.digest().value());
            node.put("event_id", provenance.eventIds().get(member.task()));
            node.put("name", provenance.expertNames().get(member.task()));
            ObjectNode settings = node.putObject("parameters");
            member.settings().forEach((name, setting) -> settings.put(name, setting.text()));
            CalibrationSet calibration = member.calibration();
            if (calibration != null && plan.method().usesCalibration()) {
                node.put("calibration", calibration.digest().value());
            }
        }
    }

    private static void learnt(DivMergeResult learnt, ObjectNode root) {
        coefficients(learnt.start(), root.putObject("coefficients_at_start"));
        coefficients(learnt.coefficients(), root.putObject("coefficients"));
        ObjectNode losses = root.putObject("losses");
        learnt.lossBefore().forEach(losses.putObject("before")::put);
        learnt.lossAfter().forEach(losses.putObject("after")::put);
        ArrayNode history = losses.putArray("history");
        for (LossPoint point : learnt.history()) {
            history.addObject().put("step", point.step()).put("loss", point.loss());
        }
        losses.put("steps", learnt.steps());
    }

    private static void tuning(ScaleChoice tuning, ObjectNode node) {
        node.put("option", tuning.grid().option().name());
        node.put("score", tuning.grid().score().id());
        node.put("chosen", tuning.chosen().value());
        ObjectNode validations = node.putObject("validation");
        tuning.validations().forEach((task, digest) -> validations.put(task, digest.value()));
        if (!tuning.experts().isEmpty()) {
            tuning.experts().forEach(node.putObject("experts")::put);
        }
        ArrayNode candidates = node.putArray("candidates");
        for (ScaleChoice.Candidate candidate : tuning.candidates()) {
            ObjectNode one = candidates.addObject();
            one.put("value", candidate.value());
            one.put("score", candidate.score());
            candidate.metrics().forEach(one.putObject("metrics")::put);
        }
    }

    private static void coefficients(Coefficients coefficients, ObjectNode node) {
        for (String task : coefficients.tasks()) {
            ObjectNode byGroup = node.putObject(task);
            for (String group : coefficients.groups()) {
                byGroup.put(group, coefficients.get(task, group));
            }
        }
    }
}

package dev.tributary.cli.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.cli.Terminal;
import dev.tributary.cli.chaos.mutant.Mutant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Whether a campaign finds what it claims to find: each known bug is put into the workers, and
/// must be found as what it is. First they run without one, and nothing must be found.
final class MutantTrials {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int POOLS = 12;

    /// A history is never the same twice, and a bug does not show in each.
    private static final int ATTEMPTS = 3;

    private final long seed;
    private final Path data;
    private final Terminal terminal;
    private final List<Outcome> outcomes = new ArrayList<>();

    /// @param sentence one of the findings expected of it, or of any; null where there is none
    private record Outcome(
            MutantTrial trial, int attempts, boolean passed, @Nullable String sentence) {

        String name() {
            return trial.mutant().name().toLowerCase(Locale.ROOT);
        }
    }

    MutantTrials(long seed, Path data, Terminal terminal) {
        this.seed = seed;
        this.data = data;
        this.terminal = terminal;
    }

    /// Runs all, or these.
    ///
    /// @return whether every bug was found
    boolean run(List<Mutant> chosen, @Nullable Path summary) throws InterruptedException {
        List<MutantTrial> trials = new ArrayList<>();
        trials.add(MutantTrial.of(Mutant.SOUND));
        for (MutantTrial trial : MutantTrial.all()) {
            if (chosen.isEmpty() || chosen.contains(trial.mutant())) {
                trials.add(trial);
            }
        }
        for (MutantTrial trial : trials) {
            terminal.progress("mutants", trial.mutant().bug(), outcomes.size(), trials.size());
            Outcome outcome = tried(trial);
            outcomes.add(outcome);
            terminal.line(
                    "  %-22s %s  %s"
                            .formatted(
                                    outcome.name(),
                                    terminal.coloured(
                                            word(trial, outcome.passed()), outcome.passed()),
                                    outcome.sentence() == null ? "" : outcome.sentence()));
        }
        terminal.progress("mutants", "", trials.size(), trials.size());
        terminal.line(
                "%d of %d bugs were found as what they are"
                        .formatted(found(), outcomes.size() - 1));
        if (summary != null) {
            write(summary);
        }
        return outcomes.stream().allMatch(Outcome::passed);
    }

    private static String word(MutantTrial trial, boolean passed) {
        if (trial.mutant() == Mutant.SOUND) {
            return passed ? "sound" : "NOT SOUND";
        }
        return passed ? trial.expected().name().toLowerCase(Locale.ROOT) : "NOT FOUND";
    }

    private long found() {
        return outcomes.stream()
                .filter(outcome -> outcome.trial().mutant() != Mutant.SOUND && outcome.passed())
                .count();
    }

    private Outcome tried(MutantTrial trial) throws InterruptedException {
        @Nullable String other = null;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Path folder =
                    data.resolve(
                            "%s-%d"
                                    .formatted(
                                            trial.mutant().name().toLowerCase(Locale.ROOT),
                                            attempt));
            Findings findings =
                    new Campaign(
                                    new Campaign.Settings(
                                            0, false, trial, seed + attempt, folder, 1, 1, POOLS),
                                    terminal)
                            .run()
                            .findings();
            if (!trial.applied(folder)) {
                throw new IllegalStateException(
                        "[%s] no worker has loaded %s, expected the class that is to have the bug"
                                .formatted(trial.mutant(), trial.mutant().className()));
            }
            @Nullable String any = first(findings);
            if (trial.mutant() == Mutant.SOUND) {
                return new Outcome(trial, attempt, any == null, any);
            }
            List<String> wanted = findings.of(trial.expected());
            if (!wanted.isEmpty()) {
                return new Outcome(trial, attempt, true, wanted.getFirst());
            }
            other = any == null ? other : any;
        }
        return new Outcome(trial, ATTEMPTS, false, other);
    }

    private static @Nullable String first(Findings findings) {
        for (Findings.Kind kind : Findings.Kind.values()) {
            if (!findings.of(kind).isEmpty()) {
                return "%s: %s"
                        .formatted(
                                kind.name().toLowerCase(Locale.ROOT), findings.of(kind).getFirst());
            }
        }
        return null;
    }

    private void write(Path file) {
        ObjectNode json = JSON.createObjectNode();
        json.put("mutants", outcomes.size() - 1);
        json.put("caught", found());
        json.put("sound", outcomes.getFirst().passed());
        json.put("seed", seed);
        ArrayNode trials = json.putArray("trials");
        for (Outcome outcome : outcomes) {
            ObjectNode one = trials.addObject();
            one.put("mutant", outcome.name());
            one.put("bug", outcome.trial().mutant().bug());
            one.put("expected", word(outcome.trial(), true));
            one.put("passed", outcome.passed());
            one.put("attempts", outcome.attempts());
            one.put("sentence", outcome.sentence());
        }
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}

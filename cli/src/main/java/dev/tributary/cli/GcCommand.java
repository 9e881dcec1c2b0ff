package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Frees the artifact store of what nothing refers to any more.
@Command(
        name = "gc",
        mixinStandardHelpOptions = true,
        description = {
            "Lists the artifacts that nothing needs any more; with --delete, moves them to the store's trash, and removes"
                    + " what has lain there for long enough.",
            "Needed is, by the log: what a pool remembers of its experts, its base and task definitions;"
                    + " its last --keep generations, the champion, the champion before, what has no verdict"
                    + " yet, all these were made of and started from; and what a waiting event or an open"
                    + " dead letter refers to. What is found to be needed again is put back."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary gc",
            "  tributary gc --explain generations/0123456789abcdef",
            "  tributary gc --delete --keep 10 --min-age 48h"
        })
final class GcCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();
    @Mixin OutputOption output = new OutputOption();

    @Option(
            names = "--keep",
            paramLabel = "N",
            defaultValue = "5",
            description =
                    "How many of each pool's newest generations are kept to go back to (default: ${DEFAULT-VALUE}).")
    int keep = 5;

    @Option(
            names = "--min-age",
            paramLabel = "DURATION",
            defaultValue = "24h",
            description =
                    "What was published, or moved to the trash, less long ago is left as it is; longer than any"
                            + " upload, merge or evaluation takes (default: ${DEFAULT-VALUE}).")
    String minAge = "24h";

    @Option(names = "--delete", description = "Do it; without this nothing is changed.")
    boolean delete;

    @Option(
            names = "--explain",
            paramLabel = "PATH",
            description = "Only say why this artifact is needed, or that it is not.")
    @Nullable String explain;

    @Spec @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        Duration age = age();
        Connection connection = stack.connection();
        GarbageCollection collection = new GarbageCollection(connection, keep);
        if (explain != null) {
            return explained(explain, collection);
        }
        print(collection.run(age, delete));
        return 0;
    }

    private Duration age() {
        if (keep < 1) {
            throw wrong("[--keep] is %d, expected 1 or more".formatted(keep));
        }
        String text = minAge.trim().toUpperCase(Locale.ROOT);
        try {
            Duration age = Duration.parse(text.startsWith("P") ? text : iso(text));
            if (!age.isNegative()) {
                return age;
            }
        } catch (DateTimeParseException _) {
            // said below
        }
        throw wrong(
                "[--min-age] is '%s', expected a duration such as 30m, 24h or 7d"
                        .formatted(minAge));
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), sentence);
    }

    private static String iso(String text) {
        return text.endsWith("D") ? "P" + text : "PT" + text;
    }

    private static Integer explained(String path, GarbageCollection collection) {
        GarbageCollection.Explanation explanation = collection.explain(path);
        Terminal.standard()
                .line(
                        "%s is %s; %s"
                                .formatted(
                                        path,
                                        explanation.place().words(),
                                        explanation
                                                .needed()
                                                .map(why -> "needed: " + why)
                                                .orElse("nothing refers to it")));
        return explanation.place() == GarbageCollection.Place.NOWHERE ? 1 : 0;
    }

    private void print(List<GarbageCollection.Judged> judged) {
        if (output.json()) {
            ArrayNode all = JsonNodeFactory.instance.arrayNode();
            for (GarbageCollection.Judged one : judged) {
                ObjectNode json = all.addObject();
                json.put("path", one.entry().path());
                json.put("bytes", one.entry().bytes());
                json.put("fate", one.fate().words());
                json.put("why", one.why());
                json.put("done", delete);
            }
            System.out.println(OutputOption.pretty(all));
            return;
        }
        Terminal terminal = Terminal.standard();
        List<List<String>> rows = new ArrayList<>();
        for (GarbageCollection.Fate fate : GarbageCollection.Fate.values()) {
            List<GarbageCollection.Judged> of =
                    judged.stream().filter(one -> one.fate() == fate).toList();
            long bytes = of.stream().mapToLong(one -> one.entry().bytes()).sum();
            rows.add(
                    List.of(
                            fate.words(),
                            Integer.toString(of.size()),
                            "%,.1f MiB".formatted(bytes / 1048576.0)));
        }
        terminal.table(
                List.of(delete ? "what was done" : "what --delete does", "artifacts", "size"),
                rows);
        judged.stream()
                .filter(one ->
                        one.fate() == GarbageCollection.Fate.DISCARDED
                                || one.fate() == GarbageCollection.Fate.RESTORED
                                || one.fate() == GarbageCollection.Fate.REMOVED)
                .forEach(one ->
                        terminal.line(
                                "  %s %s: %s"
                                        .formatted(
                                                one.fate().words(),
                                                one.entry().path(),
                                                one.why())));
    }
}

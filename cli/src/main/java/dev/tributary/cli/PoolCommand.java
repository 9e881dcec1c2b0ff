package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Creates, changes and lists pools.
@Command(
        name = "pool",
        mixinStandardHelpOptions = true,
        description = "Creates, changes and lists pools.",
        subcommands = {PoolCommand.Create.class, PoolCommand.Ls.class, PoolCommand.Get.class},
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary pool create my-pool --base models/minilm",
            "  tributary pool create my-pool --base models/minilm --method ties --option density=0.3",
            "  tributary pool ls -o json",
            "  tributary pool get my-pool"
        })
public final class PoolCommand implements Callable<Integer> {
    private static final Duration CONFIGURING = Duration.ofSeconds(60);

    @Override
    public Integer call() {
        CommandLine.usage(this, System.out);
        return CommandLine.ExitCode.USAGE;
    }

    /// Creates a pool, or changes its method, options or verdict policy.
    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description =
                    "Creates a pool, or changes the method, options or verdict policy of one.")
    static final class Create implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();

        @Parameters(paramLabel = "NAME", description = "The pool's name.")
        String name = "";

        @Option(
                names = "--base",
                required = true,
                paramLabel = "DIR",
                description =
                        "Hugging Face directory of the base every expert was fine-tuned from.")
        @Nullable Path base;

        @Option(
                names = "--method",
                paramLabel = "METHOD",
                defaultValue = "divmerge",
                description =
                        "A merge method, as docs/merge-methods.md names them (default:"
                                + " ${DEFAULT-VALUE}).")
        String method = "divmerge";

        @Option(
                names = "--option",
                paramLabel = "KEY=VALUE",
                description = "An option of the method; docs/merge-methods.md lists them.")
        Map<String, String> options = new LinkedHashMap<>();

        @Option(
                names = "--significance-level",
                defaultValue = "0.01",
                description =
                        "False-alarm rate of a generation's comparison with the champion (default:"
                                + " ${DEFAULT-VALUE}).")
        double significanceLevel = 0.01;

        @Option(
                names = "--tolerated-drop",
                defaultValue = "0.02",
                description =
                        "A significant drop up to this many points of accuracy (0.02 = 2) is no"
                                + " regression (default: ${DEFAULT-VALUE}).")
        double toleratedDrop = 0.02;

        @Option(
                names = "--largest-detectable-drop",
                defaultValue = "0.15",
                description =
                        "A verdict that could miss a drop larger than this is INCONCLUSIVE (default:"
                                + " ${DEFAULT-VALUE}).")
        double largestDetectableDrop = 0.15;

        @Override
        public Integer call() {
            MergeMethod.of(method, options);
            Connection connection = stack.connection();
            try (Publications publications = new Publications(connection)) {
                var artifact =
                        publications.importCheckpoint(
                                Objects.requireNonNull(base), new WaitOptions().progress());
                Published configured =
                        publications.configurePool(
                                name,
                                artifact,
                                method,
                                options,
                                new VerdictPolicy(
                                        significanceLevel, toleratedDrop, largestDetectableDrop));
                awaitConfigured(connection, name, configured.eventId());
                System.out.println(
                        "pool %s: %s from base %s"
                                .formatted(name, method, artifact.digest().value()));
            }
            return 0;
        }
    }

    /// Waits until a worker has taken a pool's configuration up, which it does at once when it
    /// runs.
    ///
    /// @throws RefusedException when it is refused
    /// @throws UnreachableException when no worker takes it up within a minute
    public static void awaitConfigured(Connection connection, String pool, String eventId) {
        try (EventLog log = EventLog.open(connection)) {
            log.startFollowing(List.of(Topic.POOL_STATES, Topic.DEAD_LETTERS), true);
            SpecificRecord answer =
                    log.await(event -> takesUp(event, pool, eventId), CONFIGURING)
                            .map(ConsumerRecord::value)
                            .orElseThrow(() ->
                                    new UnreachableException(
                                            "[%s] no merge-worker took the configuration up in %d s: `tributary doctor` says what is wrong"
                                                    .formatted(pool, CONFIGURING.toSeconds())));
            if (answer instanceof DeadLetter letter) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.valueOf(letter.getCode()),
                                pool,
                                String.join("; ", letter.getSentences())));
            }
        }
    }

    private static boolean takesUp(SpecificRecord event, String pool, String eventId) {
        return switch (event) {
            case PoolUpdated updated ->
                    updated.getPool().equals(pool)
                            && updated.getConfigured() != null
                            && updated.getConfigured().getEventId().equals(eventId);
            case DeadLetter letter -> eventId.equals(letter.getEventId());
            default -> false;
        };
    }

    /// Lists pools.
    @Command(name = "ls", mixinStandardHelpOptions = true, description = "Lists pools.")
    static final class Ls implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin OutputOption output = new OutputOption();

        @Override
        public Integer call() {
            Map<String, PoolUpdated> pools = states(stack.connection(), null);
            if (output.json()) {
                ArrayNode array = JsonNodeFactory.instance.arrayNode();
                pools.values().forEach(state -> array.add(EventJson.of(state)));
                System.out.println(OutputOption.pretty(array));
                return 0;
            }
            List<List<String>> rows = new ArrayList<>();
            for (PoolUpdated state : pools.values()) {
                var configured = state.getConfigured();
                rows.add(
                        List.of(
                                state.getPool(),
                                configured == null ? "-" : configured.getMethod(),
                                String.valueOf(state.getExperts().size()),
                                configured == null
                                        ? "-"
                                        : WatchCommand.shortened(
                                                configured.getBase().getDigest())));
            }
            Terminal.standard().table(List.of("pool", "method", "experts", "base"), rows);
            return 0;
        }
    }

    /// Shows one pool.
    @Command(name = "get", mixinStandardHelpOptions = true, description = "Shows one pool.")
    static final class Get implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin OutputOption output = new OutputOption();

        @Parameters(paramLabel = "NAME", description = "The pool's name.")
        String name = "";

        @Override
        public Integer call() {
            PoolUpdated state = states(stack.connection(), name).get(name);
            if (state == null) {
                System.err.println(
                        "[%s] no such pool: `tributary pool ls` lists them".formatted(name));
                return 1;
            }
            if (output.json()) {
                System.out.println(OutputOption.pretty(EventJson.of(state)));
                return 0;
            }
            Terminal terminal = Terminal.standard();
            var configured = state.getConfigured();
            if (configured != null) {
                terminal.line(
                        "pool %s: %s %s, base %s"
                                .formatted(
                                        name,
                                        configured.getMethod(),
                                        configured.getOptions(),
                                        configured.getBase().getDigest()));
            }
            List<List<String>> rows = new ArrayList<>();
            for (var expert : state.getExperts()) {
                var checkpoints = expert.getCheckpoints();
                for (int i = checkpoints.size() - 1; i >= 0; i--) {
                    rows.add(
                            List.of(
                                    i == checkpoints.size() - 1 ? expert.getTask() : "  previous",
                                    checkpoints.get(i).getCheckpoint().getDigest(),
                                    String.valueOf(checkpoints.get(i).getCheckpoint().getBytes())));
                }
            }
            terminal.table(List.of("expert", "checkpoint", "bytes"), rows);
            return 0;
        }
    }

    private static Map<String, PoolUpdated> states(Connection connection, @Nullable String pool) {
        Map<String, PoolUpdated> states = new TreeMap<>();
        try (EventLog log = EventLog.open(connection)) {
            for (var record :
                    log.read(List.of(Topic.POOL_STATES), key -> pool == null || pool.equals(key))) {
                if (record.value() instanceof PoolUpdated state) {
                    states.put(state.getPool(), state);
                }
            }
        }
        return states;
    }
}

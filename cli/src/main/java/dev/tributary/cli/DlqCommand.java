package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.events.DeadLetterSettled;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Looks into dead-letter queues and deals with what lies there.
@Command(
        name = "dlq",
        mixinStandardHelpOptions = true,
        description = "Lists, shows, replays and discards what was set aside.",
        subcommands = {
            DlqCommand.Ls.class,
            DlqCommand.Show.class,
            DlqCommand.Replay.class,
            DlqCommand.Discard.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary dlq ls",
            "  tributary dlq show pool-events-3-17",
            "  tributary dlq replay pool-events-3-17",
            "  tributary dlq discard pool-events-3-17 --reason \"published again\""
        })
final class DlqCommand implements Callable<Integer> {
    private static final String ORIGIN = "kafka_dlt-original-";

    @Override
    public Integer call() {
        CommandLine.usage(this, System.out);
        return CommandLine.ExitCode.USAGE;
    }

    private static List<SetAside> chosen(DeadLetterQueues queues, List<String> ids) {
        List<SetAside> all = queues.read();
        List<SetAside> chosen = new ArrayList<>();
        List<Fault> faults = new ArrayList<>();
        for (String id : ids) {
            all.stream()
                    .filter(letter -> letter.id().equals(id))
                    .findFirst()
                    .ifPresentOrElse(
                            chosen::add,
                            () ->
                                    faults.add(
                                            new Fault(
                                                    FailureCode.BAD_OPTION,
                                                    id,
                                                    "no such dead letter, expected an id that `tributary dlq ls --all` lists")));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return chosen;
    }

    private static List<SetAside> open(DeadLetterQueues queues, List<String> ids, boolean again) {
        List<SetAside> chosen = chosen(queues, ids);
        List<Fault> faults = new ArrayList<>();
        for (SetAside letter : chosen) {
            if (letter.settled() != null && !again) {
                faults.add(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                letter.id(),
                                "was %s already, expected one that nobody has dealt with: give --again to do it all the same"
                                        .formatted(state(letter))));
            }
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return chosen;
    }

    private static String state(SetAside letter) {
        DeadLetterSettled settled = letter.settled();
        return settled == null ? "open" : settled.getSettlement().name().toLowerCase(Locale.ROOT);
    }

    private static ObjectNode json(SetAside letter) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("id", letter.id());
        json.put("state", state(letter));
        json.put("key", letter.key());
        json.put("code", letter.code());
        json.put("message", letter.message());
        json.put("stage", letter.header(DeadLetterRecord.STAGE));
        json.put("worker", letter.header(DeadLetterRecord.WORKER));
        json.put("topic", letter.header(ORIGIN + "topic"));
        json.put("setAsideAt", Instant.ofEpochMilli(letter.record().timestamp()).toString());
        DeadLetterSettled settled = letter.settled();
        json.set("settled", settled == null ? null : EventJson.of(settled));
        return json;
    }

    /// Lists dead letters.
    @Command(
            name = "ls",
            mixinStandardHelpOptions = true,
            description = "Lists dead letters nobody has dealt with, oldest first.")
    static final class Ls implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin OutputOption output = new OutputOption();

        @Parameters(arity = "0..1", paramLabel = "POOL", description = "Only of this pool.")
        @Nullable String pool;

        @Option(names = "--all", description = "Those that were replayed or discarded, too.")
        boolean all;

        @Override
        public Integer call() {
            List<SetAside> letters =
                    new DeadLetterQueues(stack.connection())
                            .read().stream()
                                    .filter(letter -> all || letter.settled() == null)
                                    .filter(letter -> pool == null || letter.key().equals(pool))
                                    .toList();
            if (output.json()) {
                ArrayNode array = JsonNodeFactory.instance.arrayNode();
                letters.forEach(letter -> array.add(json(letter)));
                System.out.println(OutputOption.pretty(array));
                return 0;
            }
            Terminal terminal = Terminal.standard();
            if (letters.isEmpty()) {
                terminal.line(all ? "no dead letters are kept" : "no open dead letters");
                return 0;
            }
            terminal.table(
                    List.of("id", "state", "pool", "code", "what was found"),
                    letters.stream()
                            .map(letter ->
                                    List.of(
                                            letter.id(),
                                            state(letter),
                                            letter.key(),
                                            letter.code(),
                                            firstLine(letter.message())))
                            .toList());
            return 0;
        }

        private static String firstLine(String text) {
            int end = text.indexOf('\n');
            return end < 0 ? text : text.substring(0, end) + " …";
        }
    }

    /// Shows one dead letter.
    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Shows a dead letter: why it was set aside, its headers, what it says.")
    static final class Show implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin OutputOption output = new OutputOption();

        @Parameters(paramLabel = "ID", description = "As `tributary dlq ls` lists it.")
        String id = "";

        @Override
        public Integer call() {
            Connection connection = stack.connection();
            SetAside letter = chosen(new DeadLetterQueues(connection), List.of(id)).getFirst();
            ObjectNode json = json(letter);
            ObjectNode headers = json.putObject("headers");
            for (Header header : letter.record().headers()) {
                if (!header.key().startsWith(ORIGIN)) {
                    headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
                }
            }
            decoded(letter, connection, json);
            if (output.json()) {
                System.out.println(OutputOption.pretty(json));
                return 0;
            }
            Terminal terminal = Terminal.standard();
            terminal.line("%s, %s".formatted(letter.id(), state(letter)));
            letter.message().lines().forEach(line -> terminal.line("  " + line));
            terminal.line(OutputOption.pretty(json));
            return 0;
        }

        /// Adds the event, or why it cannot be read.
        private static void decoded(SetAside letter, Connection connection, ObjectNode json) {
            String topic = letter.header(ORIGIN + "topic");
            try (AvroWireDeserializer events = new AvroWireDeserializer()) {
                events.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
                SpecificRecord event = events.deserialize(topic, letter.record().value());
                json.put("event", event.getSchema().getName());
                json.set("value", EventJson.of(event));
            } catch (RuntimeException e) {
                json.put("undecodable", String.valueOf(e.getMessage()));
            }
        }
    }

    /// Which dead letters something is done about.
    static final class Choice {
        @Parameters(arity = "1..*", paramLabel = "ID", description = "As `dlq ls` lists them.")
        List<String> ids = List.of();

        @Option(names = "--again", description = "Also what was replayed or discarded before.")
        boolean again;

        List<SetAside> of(DeadLetterQueues queues) {
            return open(queues, ids, again);
        }
    }

    /// Sends dead letters to their first topics once more.
    @Command(
            name = "replay",
            mixinStandardHelpOptions = true,
            description = {
                "Sends dead letters to the topics they came from, byte for byte, all or none of them.",
                "What was at fault must have been mended before: else they come back."
            })
    static final class Replay implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin Choice choice = new Choice();

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the event.")
        @Nullable String reason;

        @Override
        public Integer call() {
            DeadLetterQueues queues = new DeadLetterQueues(stack.connection());
            List<SetAside> letters = choice.of(queues);
            refuseCut(letters);
            queues.replay(letters, reason);
            letters.forEach(letter ->
                    System.out.println(
                            "replayed %s to %s"
                                    .formatted(letter.id(), letter.header(ORIGIN + "topic"))));
            return 0;
        }

        private static void refuseCut(List<SetAside> letters) {
            List<Fault> faults =
                    letters.stream()
                            .filter(letter -> DeadLetterRecord.isCut(letter.record()))
                            .map(letter ->
                                    new Fault(
                                            FailureCode.BAD_OPTION,
                                            letter.id(),
                                            "is only the beginning of a record that is too large for its queue, expected a whole one: mend what sent it"))
                            .toList();
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
        }
    }

    /// Says that nothing will come of dead letters.
    @Command(
            name = "discard",
            mixinStandardHelpOptions = true,
            description = "Says that nothing will come of dead letters; they stay in their queue.")
    static final class Discard implements Callable<Integer> {
        @Mixin StackOptions stack = new StackOptions();
        @Mixin Choice choice = new Choice();

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why; kept in the event.")
        String reason = "";

        @Override
        public Integer call() {
            DeadLetterQueues queues = new DeadLetterQueues(stack.connection());
            List<SetAside> letters = choice.of(queues);
            queues.discard(letters, reason);
            letters.forEach(letter -> System.out.println("discarded " + letter.id()));
            return 0;
        }
    }
}

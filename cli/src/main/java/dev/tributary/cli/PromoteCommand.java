package dev.tributary.cli;

import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PromotionReason;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.time.Instant;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes a generation the champion by hand, an older one too.
@Command(
        name = "promote",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a generation of a pool its champion by hand, whatever its verdict.",
            "An older one rolls back: no weights are copied, what is served changes with the event."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary promote my-pool --generation 7",
            "  tributary promote my-pool --generation 5   # back to an older one"
        })
final class PromoteCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();

    @Parameters(paramLabel = "POOL", description = "The pool.")
    String pool = "";

    @Option(
            names = "--generation",
            required = true,
            paramLabel = "NUMBER",
            description = "Number of the generation.")
    long number;

    private final TreeMap<Long, GenerationMerged> generations = new TreeMap<>();
    private @Nullable GenerationPromoted champion;
    private @Nullable GenerationEvaluated verdict;

    @Override
    public Integer call() {
        Connection connection = stack.connection();
        try (EventLog log = EventLog.open(connection)) {
            read(log);
        }
        GenerationMerged chosen = chosen();
        if (champion != null && champion.getNumber() == number) {
            System.out.println(
                    "[%s] generation %d is the champion already".formatted(pool, number));
            return 0;
        }
        try (EventPublisher publisher = new EventPublisher(connection)) {
            publisher.publish(
                    Topic.PROMOTIONS,
                    pool,
                    GenerationPromoted.newBuilder()
                            .setPool(pool)
                            .setNumber(number)
                            .setGenerationId(chosen.getGenerationId())
                            .setArtifact(chosen.getArtifact())
                            .setPreviousNumber(champion == null ? null : champion.getNumber())
                            .setReason(PromotionReason.MANUAL)
                            .setPromotedAt(Instant.now())
                            .build());
        }
        System.out.println(
                "[%s] generation %d is the champion%s; its verdict was %s"
                        .formatted(
                                pool,
                                number,
                                champion == null
                                        ? ""
                                        : " instead of %d".formatted(champion.getNumber()),
                                verdict == null ? "not there yet" : verdict.getVerdict()));
        return 0;
    }

    private void read(EventLog log) {
        for (var record :
                log.read(
                        List.of(Topic.GENERATIONS, Topic.EVALUATIONS, Topic.PROMOTIONS),
                        pool::equals)) {
            switch (record.value()) {
                case GenerationMerged merged -> generations.put(merged.getNumber(), merged);
                case GenerationPromoted promoted -> champion = promoted;
                case GenerationEvaluated evaluated when evaluated.getNumber() == number ->
                        verdict = evaluated;
                default -> {}
            }
        }
    }

    private GenerationMerged chosen() {
        GenerationMerged chosen = generations.get(number);
        if (chosen == null) {
            throw new RefusedException(
                    generations.isEmpty()
                            ? new Fault(
                                    FailureCode.UNKNOWN_POOL,
                                    pool,
                                    "has no generation yet: `tributary status` lists the pools")
                            : new Fault(
                                    FailureCode.BAD_OPTION,
                                    pool,
                                    "has no generation %d, expected one of 1 to %d"
                                            .formatted(number, generations.lastKey())));
        }
        return chosen;
    }
}

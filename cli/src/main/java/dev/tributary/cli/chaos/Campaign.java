package dev.tributary.cli.chaos;

import dev.tributary.cli.Connection;
import dev.tributary.cli.GenerationReplay;
import dev.tributary.cli.LocalTributary;
import dev.tributary.cli.Terminal;
import dev.tributary.events.GenerationMerged;
import dev.tributary.stack.FreePorts;
import dev.tributary.stack.LocalBroker;
import dev.tributary.stack.LocalRegistry;
import dev.tributary.stack.LocalStack;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FaultPoint;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Real workers on a real broker, with events going in all the time, while processes are killed,
/// stalled and made to fail and the network between them is cut, in rounds: after each everything
/// may recover, and the time it takes is measured. In the end the history is checked.
final class Campaign {
    private static final Duration DRAIN = Duration.ofMinutes(5);

    /// With a known bug in the workers much never ends, and none of it takes long.
    private static final Duration TRIAL_DRAIN = Duration.ofSeconds(45);

    private static final Duration TRIAL_TRAFFIC = Duration.ofSeconds(6);
    private static final Duration START = Duration.ofMinutes(2);

    /// How many processes are killed on average before everything may recover.
    private static final int KILLS_OF_A_ROUND = 12;

    /// How many generations are made anew in the end.
    private static final int REPLAYED = 50;

    private final Settings settings;
    private final Terminal terminal;
    private final Random random;
    private final List<Target> targets = new ArrayList<>();
    private final Recovery recovery = new Recovery();
    private final HttpClient client = HttpClient.newHttpClient();

    /// What is done to what.
    ///
    /// @param everyPoint each fault at each named point once, in the place of kills at random
    /// @param trial a bug and the fault that shows it, in the place of both; null for none
    record Settings(
            int kills,
            boolean everyPoint,
            @Nullable MutantTrial trial,
            long seed,
            Path data,
            int mergeWorkers,
            int evalWorkers,
            int pools) {}

    /// Who takes part while harm is done.
    private record Cast(
            Harm harm, Traffic traffic, Sender sender, Observer observer, Sweeper sweeper) {

        /// Whether all that is to be seen is seen.
        boolean sound() {
            return failure() == null;
        }

        @Nullable Throwable failure() {
            if (observer.failure().isPresent()) {
                return observer.failure().get();
            }
            return sender.failure() == null ? sweeper.failure() : sender.failure();
        }
    }

    Campaign(Settings settings, Terminal terminal) {
        this.settings = settings;
        this.terminal = terminal;
        this.random = new Random(settings.seed());
    }

    /// Runs it all.
    ChaosSummary run() throws InterruptedException {
        long began = System.nanoTime();
        List<Integer> ports = FreePorts.several(2);
        LocalBroker broker =
                LocalBroker.in(settings.data()).behindProxy(ports.getFirst(), ports.getLast());
        try (ShakyNetwork network = ShakyNetwork.between(ports.getLast(), ports.getFirst());
                LocalStack stack = LocalStack.start(broker, LocalRegistry.in(settings.data()))) {
            LocalTributary.createContract(stack);
            Connection connection = connection(stack, stack.bootstrapServers());
            terminal.line("  broker        %s".formatted(stack.bootstrapServers()));
            try (FolderArtifactStore store = FolderArtifactStore.open(connection.store());
                    Traffic traffic =
                            new Traffic(
                                    connection,
                                    new ToyModels(store),
                                    settings.pools(),
                                    settings.seed());
                    Observer observer = new Observer(connection, store);
                    Sweeper sweeper = new Sweeper(connection)) {
                startWorkers(connection(stack, "127.0.0.1:" + ports.getLast()));
                Harm harm = new Harm(broker, network, targets, random, client);
                Sender sender = new Sender(traffic, observer, settings.seed() + 1);
                return attacked(new Cast(harm, traffic, sender, observer, sweeper), store, began);
            } finally {
                network.release();
                targets.reversed().forEach(Target::close);
            }
        }
    }

    /// @param brokerAddress the broker's own, or that of the network in front of it
    private Connection connection(LocalStack stack, String brokerAddress) {
        return new Connection(
                brokerAddress,
                stack.registryUrl(),
                settings.data().resolve("store"),
                null,
                null,
                ProcessHandle.current().pid());
    }

    private void startWorkers(Connection connection) throws InterruptedException {
        for (int i = 1; i <= settings.mergeWorkers(); i++) {
            targets.add(target("merge-worker", i, connection));
        }
        for (int i = 1; i <= settings.evalWorkers(); i++) {
            targets.add(target("eval-worker", i, connection));
        }
        targets.forEach(target -> target.start(null));
        long deadline = System.nanoTime() + START.toNanos();
        while (!targets.stream().allMatch(target -> target.ready(client))) {
            boolean ended = targets.stream().anyMatch(target -> !target.alive());
            if (ended || System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        "[%s] a worker has ended or is not ready after %d s, expected all to be ready: see its log"
                                .formatted(settings.data().resolve("logs"), START.toSeconds()));
            }
            Thread.sleep(100);
        }
        terminal.line(
                "  workers       %d merge-workers, %d eval-workers"
                        .formatted(settings.mergeWorkers(), settings.evalWorkers()));
    }

    private Target target(String kind, int number, Connection connection) {
        MutantTrial trial = settings.trial();
        return new Target(
                kind,
                "%s-%d".formatted(kind, number),
                connection,
                settings.data(),
                trial == null ? List.of() : List.of(trial.option(settings.data())));
    }

    private ChaosSummary attacked(Cast cast, FolderArtifactStore store, long began)
            throws InterruptedException {
        Observer observer = cast.observer();
        cast.traffic().configure();
        cast.sender().start();
        cast.sweeper().start();
        boolean drained = harmed(cast);
        cast.sender().stop();
        cast.sweeper().close();
        Thread.sleep(1000); // what comes after the last answer would be too much
        observer.lookAgain();
        if (!cast.sound()) {
            throw new IllegalStateException(
                    "the campaign came to an end before its time: nothing is proved",
                    cast.failure());
        }
        List<Sent> sent = cast.traffic().sent();
        List<Seen> seen = observer.seen();
        Findings findings = History.check(sent, seen);
        findings.addAll(observer.findings());
        int replayed = replay(store, seen, findings);
        if (!drained) {
            findings.add(
                    Findings.Kind.LOST,
                    "%d records and %d generations still wait %d s after the last fault"
                            .formatted(
                                    observer.backlog(sent),
                                    observer.unjudged(),
                                    longestDrain().toSeconds()));
        }
        return new ChaosSummary(
                settings,
                cast.harm().done(),
                cast.sweeper().swept(),
                sent,
                seen,
                observer.looks(),
                replayed,
                findings,
                recovery,
                (System.nanoTime() - began) / 1e9);
    }

    private boolean harmed(Cast cast) throws InterruptedException {
        MutantTrial trial = settings.trial();
        if (trial != null) {
            return trial(trial, cast);
        }
        return settings.everyPoint() ? everyPoint(cast) : rounds(cast);
    }

    /// Lets a fault happen at the one point where a bug shows.
    private boolean trial(MutantTrial trial, Cast cast) throws InterruptedException {
        Thread.sleep(TRIAL_TRAFFIC);
        var _ =
                cast.harm()
                        .reach(
                                trial.point(),
                                FaultPoint.Kind.HALT,
                                trial.count(),
                                TRIAL_DRAIN,
                                cast::sound);
        Thread.sleep(TRIAL_TRAFFIC);
        cast.sender().pause(true);
        return drain(cast);
    }

    private Duration longestDrain() {
        return settings.trial() == null ? DRAIN : TRIAL_DRAIN;
    }

    /// Makes a sample of the generations anew, twice each.
    private int replay(FolderArtifactStore store, List<Seen> seen, Findings findings) {
        List<GenerationMerged> all = new ArrayList<>();
        for (Seen one : seen) {
            if (one.event() instanceof GenerationMerged merged) {
                all.add(merged);
            }
        }
        GenerationReplay replay =
                new GenerationReplay(store, all, settings.data().resolve("replay"));
        List<GenerationMerged> sample = new ArrayList<>(all);
        Collections.shuffle(sample, random);
        sample = sample.subList(0, Math.min(REPLAYED, sample.size()));
        for (GenerationMerged generation : sample) {
            for (int time = 0; time < 2; time++) {
                Digest made = replay.again(generation, Progress.SILENT);
                if (!made.value().equals(generation.getArtifact().getDigest())) {
                    findings.add(
                            Findings.Kind.DIFFERENT,
                            "generation %d of %s is %s when made anew, published was %s"
                                    .formatted(
                                            generation.getNumber(),
                                            generation.getPool(),
                                            made,
                                            generation.getArtifact().getDigest()));
                }
            }
        }
        return sample.size();
    }

    /// Harms at random, round after round.
    private boolean rounds(Cast cast) throws InterruptedException {
        boolean drained;
        do {
            cast.sender().pause(false);
            round(cast);
            cast.sender().pause(true);
            drained = drain(cast);
        } while (drained && cast.harm().kills() < settings.kills() && cast.sound());
        terminal.progress("kills", "", settings.kills(), settings.kills());
        return drained;
    }

    /// Lets each kind of fault happen at each named point once, and everything recover after each.
    private boolean everyPoint(Cast cast) throws InterruptedException {
        int done = 0;
        for (FaultPoint point : FaultPoint.values()) {
            for (FaultPoint.Kind kind : FaultPoint.Kind.values()) {
                terminal.progress("points", point + " " + kind, done++, pointsTimesKinds());
                cast.sender().pause(false);
                if (!cast.harm().reach(point, kind, 1, START, cast::sound)) {
                    throw new IllegalStateException(
                            "[%s %s] was not reached within %d s, expected the worker to come by: see its log in %s"
                                    .formatted(
                                            point,
                                            kind,
                                            START.toSeconds(),
                                            settings.data().resolve("logs")));
                }
                cast.sender().pause(true);
                if (!cast.sound() || !drain(cast)) {
                    return false;
                }
            }
        }
        terminal.progress("points", "", done, done);
        return true;
    }

    private static int pointsTimesKinds() {
        return FaultPoint.values().length * FaultPoint.Kind.values().length;
    }

    /// Some kills and whatever comes between, with events going in.
    private void round(Cast cast) throws InterruptedException {
        Harm harm = cast.harm();
        int until =
                Math.min(
                        settings.kills(),
                        harm.kills() + 1 + random.nextInt(2 * KILLS_OF_A_ROUND - 1));
        harm.pause();
        while (harm.kills() < until && cast.sound()) {
            progress(cast, "harming");
            harm.attend(true);
            harm.anything();
            harm.pause();
        }
    }

    private void progress(Cast cast, String doing) {
        if (settings.everyPoint() || settings.trial() != null) {
            return;
        }
        ChaosSummary.Faults done = cast.harm().done();
        terminal.progress(
                "kills",
                "%s, %d sent, %d stalls, %d broker restarts, %d connections cut"
                        .formatted(
                                doing,
                                cast.traffic().sent().size(),
                                done.stalls(),
                                done.brokerRestarts(),
                                done.networkCuts()),
                Math.max(0, Math.min(done.kills(), settings.kills() - 1L)),
                settings.kills());
    }

    /// Waits, without further faults, until everything is answered and judged.
    private boolean drain(Cast cast) throws InterruptedException {
        Observer observer = cast.observer();
        long deadline = System.nanoTime() + longestDrain().toNanos();
        while (System.nanoTime() < deadline && observer.failure().isEmpty()) {
            cast.harm().attend(false);
            long waiting = observer.backlog(cast.traffic().sent());
            int unjudged = observer.unjudged();
            if (waiting == 0 && unjudged == 0 && cast.harm().nothingStalled()) {
                recovery.add(cast.harm().secondsSinceLast());
                return true;
            }
            progress(cast, "waiting for %d answers, %d verdicts".formatted(waiting, unjudged));
            Thread.sleep(200);
        }
        return false;
    }
}

package dev.tributary.cli.chaos;

import dev.tributary.cli.Connection;
import dev.tributary.cli.GenerationReplay;
import dev.tributary.cli.LocalTributary;
import dev.tributary.cli.Terminal;
import dev.tributary.events.GenerationMerged;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Real workers on a real broker, with events going in all the time, while processes are killed,
/// stalled and made to fail, in rounds: after each everything may recover, and the time it takes is
/// measured. In the end the history is checked.
final class Campaign {
    private static final Duration LONGEST_GAP = Duration.ofSeconds(4);
    private static final Duration SHORTEST_STALL = Duration.ofSeconds(2);
    private static final Duration LONGEST_STALL = Duration.ofSeconds(10);
    private static final Duration LONGEST_OUTAGE = Duration.ofSeconds(4);
    private static final Duration DRAIN = Duration.ofMinutes(5);

    /// With a known bug in the workers much never ends, and none of it takes long.
    private static final Duration TRIAL_DRAIN = Duration.ofSeconds(45);

    private static final Duration TRIAL_TRAFFIC = Duration.ofSeconds(6);
    private static final Duration START = Duration.ofMinutes(2);

    /// How many processes are killed on average before everything may recover.
    private static final int KILLS_OF_A_ROUND = 12;

    /// How many generations are made anew in the end.
    private static final int REPLAYED = 50;

    private static final int BROKER_PERCENT = 3;
    private static final int STALL_PERCENT = 6;
    private static final int EARLY_PERCENT = 15;
    private static final int ARMED_PERCENT = 60;

    private final Settings settings;
    private final Terminal terminal;
    private final Random random;
    private final List<Target> targets = new ArrayList<>();
    private final Map<Target, Long> thawAt = new HashMap<>();
    private final Map<Target, Integer> knownFaults = new HashMap<>();
    private final SortedMap<String, Integer> points = new TreeMap<>();
    private final Recovery recovery = new Recovery();
    private long lastFault = System.nanoTime();
    private final HttpClient client = HttpClient.newHttpClient();
    private int kills;
    private int stalls;
    private int brokerRestarts;
    private int exits;

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

    Campaign(Settings settings, Terminal terminal) {
        this.settings = settings;
        this.terminal = terminal;
        this.random = new Random(settings.seed());
    }

    /// Runs it all.
    ChaosSummary run() throws InterruptedException {
        long began = System.nanoTime();
        try (LocalStack stack = LocalStack.start(settings.data())) {
            LocalTributary.createContract(stack);
            Connection connection =
                    new Connection(
                            stack.bootstrapServers(),
                            stack.registryUrl(),
                            settings.data().resolve("store"),
                            null,
                            null,
                            ProcessHandle.current().pid());
            terminal.line("  broker        %s".formatted(stack.bootstrapServers()));
            try (FolderArtifactStore store = FolderArtifactStore.open(connection.store());
                    Traffic traffic =
                            new Traffic(
                                    connection,
                                    new ToyModels(store),
                                    settings.pools(),
                                    settings.seed());
                    Observer observer = new Observer(connection, store)) {
                startWorkers(connection);
                return attacked(stack, store, traffic, observer, began);
            } finally {
                targets.reversed().forEach(Target::close);
            }
        }
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

    private ChaosSummary attacked(
            LocalStack stack,
            FolderArtifactStore store,
            Traffic traffic,
            Observer observer,
            long began)
            throws InterruptedException {
        traffic.configure();
        Sender sender = new Sender(traffic, observer, settings.seed() + 1);
        sender.start();
        boolean drained = harmed(stack, traffic, observer, sender);
        sender.stop();
        Thread.sleep(1000); // what comes after the last answer would be too much
        observer.lookAgain();
        if (!sound(observer, sender)) {
            throw new IllegalStateException(
                    "the campaign came to an end before its time: nothing is proved",
                    observer.failure().orElse(sender.failure()));
        }
        List<Sent> sent = traffic.sent();
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
                new ChaosSummary.Faults(kills, stalls, brokerRestarts, exits, points),
                sent,
                seen,
                observer.looks(),
                replayed,
                findings,
                recovery,
                (System.nanoTime() - began) / 1e9);
    }

    private boolean harmed(LocalStack stack, Traffic traffic, Observer observer, Sender sender)
            throws InterruptedException {
        MutantTrial trial = settings.trial();
        if (trial != null) {
            return trial(trial, traffic, observer, sender);
        }
        return settings.everyPoint()
                ? everyPoint(traffic, observer, sender)
                : rounds(stack, traffic, observer, sender);
    }

    /// Lets a fault happen at the one point where a bug shows.
    private boolean trial(MutantTrial trial, Traffic traffic, Observer observer, Sender sender)
            throws InterruptedException {
        Thread.sleep(TRIAL_TRAFFIC);
        var _ = reach(trial.point(), FaultPoint.Kind.HALT, trial.count(), observer, sender);
        Thread.sleep(TRIAL_TRAFFIC);
        sender.pause(true);
        return drain(traffic, observer);
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

    private static boolean sound(Observer observer, Sender sender) {
        return observer.failure().isEmpty() && sender.failure() == null;
    }

    /// Harms at random, round after round.
    private boolean rounds(LocalStack stack, Traffic traffic, Observer observer, Sender sender)
            throws InterruptedException {
        boolean drained;
        do {
            sender.pause(false);
            round(stack, traffic, observer, sender);
            sender.pause(true);
            drained = drain(traffic, observer);
        } while (drained && kills < settings.kills() && sound(observer, sender));
        terminal.progress("kills", "", settings.kills(), settings.kills());
        return drained;
    }

    /// Lets each kind of fault happen at each named point once, and everything recover after each.
    private boolean everyPoint(Traffic traffic, Observer observer, Sender sender)
            throws InterruptedException {
        int done = 0;
        for (FaultPoint point : FaultPoint.values()) {
            for (FaultPoint.Kind kind : FaultPoint.Kind.values()) {
                terminal.progress("points", point + " " + kind, done++, pointsTimesKinds());
                sender.pause(false);
                if (!reach(point, kind, 1, observer, sender)) {
                    throw new IllegalStateException(
                            "[%s %s] was not reached within %d s, expected the worker to come by: see its log in %s"
                                    .formatted(
                                            point,
                                            kind,
                                            START.toSeconds(),
                                            settings.data().resolve("logs")));
                }
                sender.pause(true);
                if (!sound(observer, sender) || !drain(traffic, observer)) {
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

    /// Lets a worker come by a point with a fault armed.
    ///
    /// @return whether it has
    private boolean reach(
            FaultPoint point, FaultPoint.Kind kind, int count, Observer observer, Sender sender)
            throws InterruptedException {
        Target target =
                targets.stream()
                        .filter(one -> one.merges() == point.ofMerge())
                        .findFirst()
                        .orElseThrow();
        int before = target.faults().size();
        lastFault = System.nanoTime();
        target.kill();
        kills++;
        target.start(point.option(kind, count));
        long deadline =
                System.nanoTime() + (settings.trial() == null ? START : TRIAL_DRAIN).toNanos();
        while (target.faults().size() == before) {
            if (System.nanoTime() > deadline || !sound(observer, sender)) {
                return false;
            }
            Thread.sleep(50);
        }
        attend(false);
        return true;
    }

    /// Some kills and whatever comes between, with events going in.
    private void round(LocalStack stack, Traffic traffic, Observer observer, Sender sender)
            throws InterruptedException {
        int until =
                Math.min(settings.kills(), kills + 1 + random.nextInt(2 * KILLS_OF_A_ROUND - 1));
        pause(LONGEST_GAP);
        while (kills < until && sound(observer, sender)) {
            progress(traffic, "harming");
            attend(true);
            harm(stack);
            pause(LONGEST_GAP);
        }
    }

    private void progress(Traffic traffic, String doing) {
        if (settings.everyPoint() || settings.trial() != null) {
            return;
        }
        terminal.progress(
                "kills",
                "%s, %d sent, %d stalls, %d broker restarts"
                        .formatted(doing, traffic.sent().size(), stalls, brokerRestarts),
                Math.max(0, Math.min(kills, settings.kills() - 1L)),
                settings.kills());
    }

    private void harm(LocalStack stack) throws InterruptedException {
        boolean early = random.nextInt(100) < EARLY_PERCENT;
        Target target = early ? anyAlive() : anyReady();
        if (target == null) {
            return;
        }
        int dice = random.nextInt(100);
        if (dice < BROKER_PERCENT) {
            lastFault = System.nanoTime();
            stack.broker().kill();
            pause(LONGEST_OUTAGE);
            stack.broker().start();
            brokerRestarts++;
        } else if (dice < BROKER_PERCENT + STALL_PERCENT && !target.frozen()) {
            target.freeze();
            stalled(target);
        } else {
            lastFault = System.nanoTime();
            target.kill();
            kills++;
            start(target, true);
        }
    }

    private void stalled(Target target) {
        lastFault = System.nanoTime();
        stalls++;
        long longest = LONGEST_STALL.minus(SHORTEST_STALL).toMillis();
        thawAt.put(
                target,
                System.nanoTime() + SHORTEST_STALL.plusMillis(random.nextLong(longest)).toNanos());
    }

    /// Takes notice of faults that have happened in workers, lets stalled ones go on when it is
    /// time, and starts again what has ended.
    private void attend(boolean armed) {
        for (Target target : targets) {
            List<String> all = target.faults();
            int known = knownFaults.getOrDefault(target, 0);
            for (String fault : all.subList(known, all.size())) {
                points.merge(fault, 1, Integer::sum);
                if (fault.endsWith(FaultPoint.Kind.STALL.name())) {
                    target.freeze();
                    stalled(target);
                } else {
                    lastFault = System.nanoTime();
                }
                if (fault.endsWith(FaultPoint.Kind.HALT.name())) {
                    kills++;
                }
            }
            knownFaults.put(target, all.size());
            Long due = thawAt.get(target);
            if (due != null && System.nanoTime() >= due) {
                thawAt.remove(target);
                target.thaw();
            }
            if (!target.alive()) {
                exits += target.halted() ? 0 : 1;
                start(target, armed);
            }
        }
    }

    private void start(Target target, boolean armed) {
        thawAt.remove(target);
        target.start(armed && random.nextInt(100) < ARMED_PERCENT ? fault(target) : null);
    }

    private String fault(Target target) {
        List<FaultPoint> candidates = new ArrayList<>();
        for (FaultPoint point : FaultPoint.values()) {
            if (point.ofMerge() == target.merges()) {
                candidates.add(point);
            }
        }
        FaultPoint point = candidates.get(random.nextInt(candidates.size()));
        FaultPoint.Kind[] kinds = FaultPoint.Kind.values();
        return point.option(kinds[random.nextInt(kinds.length)], 1 + random.nextInt(3));
    }

    private @Nullable Target anyReady() {
        return chosen(
                targets.stream()
                        .filter(target -> !target.frozen() && target.ready(client))
                        .toList());
    }

    private @Nullable Target anyAlive() {
        return chosen(targets.stream().filter(Target::alive).toList());
    }

    private @Nullable Target chosen(List<Target> among) {
        return among.isEmpty() ? null : among.get(random.nextInt(among.size()));
    }

    private void pause(Duration atMost) throws InterruptedException {
        Thread.sleep(random.nextLong(atMost.toMillis()));
    }

    /// Waits, without further faults, until everything is answered and judged.
    private boolean drain(Traffic traffic, Observer observer) throws InterruptedException {
        long deadline = System.nanoTime() + longestDrain().toNanos();
        while (System.nanoTime() < deadline && observer.failure().isEmpty()) {
            attend(false);
            long waiting = observer.backlog(traffic.sent());
            int unjudged = observer.unjudged();
            if (waiting == 0 && unjudged == 0 && thawAt.isEmpty()) {
                recovery.add((System.nanoTime() - lastFault) / 1e9);
                return true;
            }
            progress(traffic, "waiting for %d answers, %d verdicts".formatted(waiting, unjudged));
            Thread.sleep(200);
        }
        return false;
    }
}

package dev.tributary.cli.chaos;

import dev.tributary.stack.LocalBroker;
import dev.tributary.tensors.FaultPoint;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// What is done to a campaign's processes, to the broker and to the network between them.
final class Harm {
    private static final Duration LONGEST_GAP = Duration.ofSeconds(4);
    private static final Duration SHORTEST_STALL = Duration.ofSeconds(2);
    private static final Duration LONGEST_STALL = Duration.ofSeconds(10);
    private static final Duration LONGEST_OUTAGE = Duration.ofSeconds(4);

    /// Longer than a group waits for a member.
    private static final Duration LONGEST_HOLD = Duration.ofSeconds(9);

    private static final int BROKER_PERCENT = 3;
    private static final int HOLD_PERCENT = 2;
    private static final int CUT_PERCENT = 6;
    private static final int STALL_PERCENT = 6;
    private static final int EARLY_PERCENT = 15;
    private static final int ARMED_PERCENT = 60;

    private final LocalBroker broker;
    private final ShakyNetwork network;
    private final List<Target> targets;
    private final Random random;
    private final HttpClient client;
    private final Map<Target, Long> thawAt = new HashMap<>();
    private final Map<Target, Integer> knownFaults = new HashMap<>();
    private final SortedMap<String, Integer> points = new TreeMap<>();
    private long last = System.nanoTime();
    private int kills;
    private int stalls;
    private int brokerRestarts;
    private int cuts;
    private int holds;
    private int exits;

    /// @param targets the workers, which run
    Harm(
            LocalBroker broker,
            ShakyNetwork network,
            List<Target> targets,
            Random random,
            HttpClient client) {
        this.broker = broker;
        this.network = network;
        this.targets = List.copyOf(targets);
        this.random = random;
        this.client = client;
    }

    /// What was done by now.
    ChaosSummary.Faults done() {
        return new ChaosSummary.Faults(kills, stalls, brokerRestarts, cuts, holds, exits, points);
    }

    int kills() {
        return kills;
    }

    /// How long ago the last fault was.
    double secondsSinceLast() {
        return (System.nanoTime() - last) / 1e9;
    }

    /// Whether no worker is stalled.
    boolean nothingStalled() {
        return thawAt.isEmpty();
    }

    /// Lets a worker come by a point with a fault armed.
    ///
    /// @param patience how long it may take
    /// @param goesOn whether waiting makes sense still
    /// @return whether it has
    boolean reach(
            FaultPoint point,
            FaultPoint.Kind kind,
            int count,
            Duration patience,
            BooleanSupplier goesOn)
            throws InterruptedException {
        Target target =
                targets.stream()
                        .filter(one -> one.merges() == point.ofMerge())
                        .findFirst()
                        .orElseThrow();
        int before = target.faults().size();
        last = System.nanoTime();
        target.kill();
        kills++;
        target.start(point.option(kind, count));
        long deadline = System.nanoTime() + patience.toNanos();
        while (target.faults().size() == before) {
            if (System.nanoTime() > deadline || !goesOn.getAsBoolean()) {
                return false;
            }
            Thread.sleep(50);
        }
        attend(false);
        return true;
    }

    /// Does one thing at random.
    void anything() throws InterruptedException {
        boolean early = random.nextInt(100) < EARLY_PERCENT;
        Target target = early ? anyAlive() : anyReady();
        if (target == null) {
            return;
        }
        int dice = random.nextInt(100);
        if (dice < BROKER_PERCENT) {
            last = System.nanoTime();
            broker.kill();
            pause(LONGEST_OUTAGE);
            broker.start();
            brokerRestarts++;
        } else if (dice < BROKER_PERCENT + HOLD_PERCENT) {
            network.hold();
            pause(LONGEST_HOLD);
            network.release();
            last = System.nanoTime();
            holds++;
        } else if (dice < BROKER_PERCENT + HOLD_PERCENT + CUT_PERCENT) {
            last = System.nanoTime();
            cuts += network.cut(random);
        } else if (dice < BROKER_PERCENT + HOLD_PERCENT + CUT_PERCENT + STALL_PERCENT
                && !target.frozen()) {
            target.freeze();
            stalled(target);
        } else {
            last = System.nanoTime();
            target.kill();
            kills++;
            start(target, true);
        }
    }

    private void stalled(Target target) {
        last = System.nanoTime();
        stalls++;
        long longest = LONGEST_STALL.minus(SHORTEST_STALL).toMillis();
        thawAt.put(
                target,
                System.nanoTime() + SHORTEST_STALL.plusMillis(random.nextLong(longest)).toNanos());
    }

    /// Takes notice of faults that have happened in workers, lets stalled ones go on when it is
    /// time, and starts again what has ended.
    void attend(boolean armed) {
        for (Target target : targets) {
            List<String> all = target.faults();
            int known = knownFaults.getOrDefault(target, 0);
            for (String fault : all.subList(known, all.size())) {
                points.merge(fault, 1, Integer::sum);
                if (fault.endsWith(FaultPoint.Kind.STALL.name())) {
                    target.freeze();
                    stalled(target);
                } else {
                    last = System.nanoTime();
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

    /// Waits for some time, some seconds at most.
    void pause() throws InterruptedException {
        pause(LONGEST_GAP);
    }

    private void pause(Duration atMost) throws InterruptedException {
        Thread.sleep(random.nextLong(atMost.toMillis()));
    }
}

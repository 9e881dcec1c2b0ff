package dev.tributary.merging;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/// An objective whose tasks are gone through in shares, each with sums of its own, so that others
/// can take some. What comes out depends on the shares, never on who took part: a share is the same
/// numbers wherever it is computed, and the shares are added in their order.
///
/// A colleague's first answer is computed here, too, and compared to the bit: one whose processor
/// rounds otherwise is not asked again. When nothing more comes, what is missing is dealt out anew
/// among those who answer, this one included; whoever has said nothing is left alone for a while.
final class SharedObjective implements Objective {
    /// A colleague that kept us waiting is left alone for so many questions.
    private static final int PENALTY = 8;

    /// How long the next answer is waited for, as a multiple of what a share takes here.
    private static final double PATIENCE = 3;

    private static final Duration SHORTEST = Duration.ofMillis(50);

    private final Computation computation;
    private final int shares;
    private final Colleagues colleagues;
    private final LongSupplier nanoTime;
    private final Set<String> proved = new HashSet<>();
    private final Set<String> refused = new HashSet<>();
    private final Map<String, Long> late = new HashMap<>();
    private long number;
    private double secondsOfShare;

    /// How a share is computed here.
    @FunctionalInterface
    interface Computation {
        ShareAnswer answer(DescentQuestion question, int share);
    }

    SharedObjective(
            Computation computation, int shares, Colleagues colleagues, LongSupplier nanoTime) {
        this.computation = computation;
        this.shares = shares;
        this.colleagues = colleagues;
        this.nanoTime = nanoTime;
    }

    /// The objective of a bench in so many shares, at most one a task; in one it is as it is.
    static Objective of(DescentBench bench, int shares, Colleagues colleagues) {
        int sensible = Math.min(shares, bench.tasks().size());
        return sensible < 2
                ? bench.objective()
                : new SharedObjective(
                        (question, share) -> answer(bench.objective(), share, sensible, question),
                        sensible,
                        colleagues,
                        System::nanoTime);
    }

    /// The first task of a share.
    static int first(int share, int shares, int tasks) {
        return (int) ((long) share * tasks / shares);
    }

    /// Answers a question for one share.
    static ShareAnswer answer(
            DivMergeObjective objective, int share, int shares, DescentQuestion question) {
        double[][] coefficients = question.coefficients();
        int from = first(share, shares, objective.tasks());
        int to = first(share + 1, shares, objective.tasks());
        if (!question.wantsGradient()) {
            return new ShareAnswer(objective.losses(from, to, coefficients), new double[0]);
        }
        int groups = coefficients[0].length;
        double[][] gradient = new double[coefficients.length][groups];
        double[] losses = objective.step(from, to, coefficients, question.items(), gradient);
        double[] flat = new double[coefficients.length * groups];
        for (int t = 0; t < gradient.length; t++) {
            System.arraycopy(gradient[t], 0, flat, t * groups, groups);
        }
        return new ShareAnswer(losses, flat);
    }

    @Override
    public double[] losses(double[][] coefficients) {
        return joined(asked(coefficients, List.of()));
    }

    @Override
    public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
        List<ShareAnswer> answers = asked(coefficients, items);
        for (int t = 0; t < gradient.length; t++) {
            Arrays.fill(gradient[t], 0);
        }
        for (ShareAnswer answer : answers) {
            double[] added = answer.gradient();
            int groups = gradient[0].length;
            for (int i = 0; i < added.length; i++) {
                gradient[i / groups][i % groups] += added[i];
            }
        }
        return joined(answers);
    }

    private static double[] joined(List<ShareAnswer> answers) {
        return answers.stream().flatMapToDouble(a -> Arrays.stream(a.losses())).toArray();
    }

    private List<ShareAnswer> asked(double[][] coefficients, List<int[]> items) {
        try {
            return new Question(coefficients, items).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for a colleague", e);
        }
    }

    /// One question: its shares are dealt out, and those that do not come back are dealt out again
    /// among those that answer, until all are there.
    private final class Question {
        private final double[][] coefficients;
        private final List<int[]> items;
        private final ShareAnswer[] answers = new ShareAnswer[shares];

        /// The numbers under which it was asked.
        private final Set<Long> numbers = new HashSet<>();

        /// Who was asked which share that is computed here all the same.
        private final Map<Integer, String> trials = new HashMap<>();

        /// What has come of trials.
        private final List<Colleagues.Answered> unproved = new ArrayList<>();

        /// Who was asked which share, in this round.
        private final Map<Integer, String> given = new LinkedHashMap<>();

        private long lastArrival;

        Question(double[][] coefficients, List<int[]> items) {
            this.coefficients = coefficients;
            this.items = items;
        }

        List<ShareAnswer> run() throws InterruptedException {
            List<String> able = new ArrayList<>();
            List<String> unknown = new ArrayList<>();
            for (String colleague : colleagues.present()) {
                if (!refused.contains(colleague) && !isPunished(colleague)) {
                    (proved.contains(colleague) ? able : unknown).add(colleague);
                }
            }
            List<Integer> pending = IntStream.range(0, shares).boxed().toList();
            while (!pending.isEmpty()) {
                round(pending, able, numbers.isEmpty() ? unknown : List.of());
                able.removeIf(this::isSilent);
                pending = pending.stream().filter(share -> answers[share] == null).toList();
            }
            unproved.forEach(this::prove);
            return List.of(answers);
        }

        private boolean isPunished(String colleague) {
            Long since = late.get(colleague);
            return since != null && number - since < PENALTY;
        }

        /// The first of some shares are computed here, the others by those who have proved
        /// themselves, as many by each; whoever is new gets one of ours on trial.
        private void round(List<Integer> pending, List<String> able, List<String> unknown)
                throws InterruptedException {
            int mine = Math.ceilDiv(pending.size(), 1 + able.size());
            given.clear();
            for (int i = mine; i < pending.size(); i++) {
                given.put(pending.get(i), able.get((i - mine) % able.size()));
            }
            for (int i = 0; i < Math.min(mine, unknown.size()); i++) {
                trials.put(pending.get(i), unknown.get(i));
            }
            Map<Integer, String> asked = new LinkedHashMap<>(given);
            asked.putAll(trials);
            numbers.add(number);
            DescentQuestion question = new DescentQuestion(number++, coefficients, items);
            if (numbers.size() == 1 || !asked.isEmpty()) { // the first tells who is idle, too
                colleagues.ask(question, asked);
            }
            for (int share : pending.subList(0, mine)) {
                long began = nanoTime.getAsLong();
                answers[share] = computation.answer(question, share);
                secondsOfShare = (nanoTime.getAsLong() - began) / 1e9;
                collect(Duration.ZERO);
            }
            await();
        }

        /// Waits for what others were asked, until nothing has come for longer than it takes to
        /// compute some shares.
        private void await() throws InterruptedException {
            long patience = Math.max(SHORTEST.toNanos(), (long) (PATIENCE * secondsOfShare * 1e9));
            lastArrival = nanoTime.getAsLong();
            while (!given.keySet().stream().allMatch(share -> answers[share] != null)) {
                long left = lastArrival + patience - nanoTime.getAsLong();
                if (left <= 0) {
                    return;
                }
                collect(Duration.ofNanos(left));
            }
        }

        /// Whether a colleague was asked in this round and has said nothing at all; such a one is
        /// left alone for a while.
        private boolean isSilent(String colleague) {
            boolean silent =
                    given.containsValue(colleague)
                            && given.entrySet().stream()
                                    .filter(one -> one.getValue().equals(colleague))
                                    .allMatch(one -> answers[one.getKey()] == null);
            if (silent) {
                late.put(colleague, number);
            }
            return silent;
        }

        /// Takes in what has come.
        private void collect(Duration patience) throws InterruptedException {
            Optional<Colleagues.Answered> next = colleagues.next(patience);
            while (next.isPresent()) {
                Colleagues.Answered answered = next.get();
                if (numbers.contains(answered.question())) {
                    take(answered);
                }
                next = colleagues.next(Duration.ZERO);
            }
        }

        private void take(Colleagues.Answered answered) {
            int share = answered.share();
            if (share < 0 || share >= shares) {
                return;
            }
            if (answered.colleague().equals(trials.get(share))) {
                unproved.add(answered);
            } else if (proved.contains(answered.colleague()) && answers[share] == null) {
                answers[share] = answered.answer();
                lastArrival = nanoTime.getAsLong();
            }
        }

        private void prove(Colleagues.Answered answered) {
            boolean same = answers[answered.share()].same(answered.answer());
            (same ? proved : refused).add(answered.colleague());
        }
    }
}

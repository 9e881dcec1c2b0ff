package dev.tributary.eval.verdict;

import dev.tributary.eval.verdict.Judgement.Pooled;
import dev.tributary.eval.verdict.TaskComparison.Compared;
import dev.tributary.eval.verdict.TaskComparison.NewTask;
import dev.tributary.eval.verdict.TaskComparison.NotScored;
import dev.tributary.eval.verdict.TaskComparison.OtherItems;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Decides which alerts of a pool begin and which end with a judgement. Only changes are told, so
/// an alert that goes on holding is silent.
///
/// A task alert fires when that task regressed and is resolved when a later generation no longer
/// does or the task has left the pool. When a later generation could not be compared on the task,
/// nothing is known and the alert stays as it is. The pool-wide alert follows the test over all
/// items in the same way.
public final class Alerts {

    /// The name the pool-wide alert has in the set of firing ones; no task is called so.
    public static final String POOL = "";

    private Alerts() {}

    /// One alert that changed.
    ///
    /// @param task the task, or [#POOL]
    /// @param firing whether it begins or ends
    /// @param sentence what happened
    public record Change(String task, boolean firing, String sentence) {}

    /// The changes a judgement brings about.
    ///
    /// @param firing the tasks, or [#POOL], whose alerts fire so far
    public static List<Change> changes(Set<String> firing, Judgement judgement) {
        List<Change> changes = new ArrayList<>();
        poolWide(firing.contains(POOL), judgement).ifPresent(changes::add);
        Set<String> gone = new TreeSet<>(firing);
        gone.remove(POOL);
        for (TaskComparison task : judgement.tasks()) {
            gone.remove(task.task());
            of(firing.contains(task.task()), task).ifPresent(changes::add);
        }
        for (String task : gone) {
            changes.add(new Change(task, false, task + ": left the pool."));
        }
        return changes;
    }

    private static Optional<Change> of(boolean fires, TaskComparison task) {
        boolean now =
                switch (task.standing()) {
                    case Compared compared -> compared.regressed();
                    case NewTask _ -> false;
                    case OtherItems _, NotScored _ -> fires;
                };
        return now == fires
                ? Optional.empty()
                : Optional.of(new Change(task.task(), now, task.sentence() + "."));
    }

    private static Optional<Change> poolWide(boolean fires, Judgement judgement) {
        boolean now = judgement.pooled().map(Pooled::regressed).orElse(fires && !judgement.first());
        return now == fires
                ? Optional.empty()
                : Optional.of(new Change(POOL, now, judgement.sentence()));
    }
}

package dev.tributary.cli.chaos.mutant;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// A bug a worker might have.
public enum Mutant {
    /// None, with everything else as for the others.
    SOUND("", "the agent changes nothing", null),

    KNOWS_NO_EVENT(
            "dev.tributary.merge.PoolState",
            "an event that is sent again counts as new",
            Edit.returns("knows", Edit.Value.FALSE)),
    COVERS_AGAIN(
            "dev.tributary.merge.OpenRecord",
            "a generation covers events that are sent again",
            Edit.returns("again", Edit.Value.FALSE)),
    COMMITS_AHEAD(
            "dev.tributary.merge.OpenRecords",
            "the offset passes events without an answer",
            Edit.returnsField("committable", "next")),
    COMMITS_NOTHING(
            "dev.tributary.merge.AnswerPublisher",
            "answers are published without their offset",
            Edit.skips("transact", "sendOffsetsToTransaction")),
    COMMITS_ZERO(
            "dev.tributary.merge.Answer",
            "the offset goes back to the beginning",
            Edit.returns("commitOffset", Edit.Value.ZERO)),
    SENDS_TWICE(
            "dev.tributary.merge.AnswerPublisher",
            "every record of an answer is sent twice",
            Edit.repeats("transact", "send")),
    READS_UNCOMMITTED(
            "dev.tributary.merge.KafkaClients",
            "transactions that came to nothing are read",
            Edit.says("consumer", "read_committed", "read_uncommitted")),
    FORGETS_RETIREMENTS(
            "dev.tributary.merge.PoolState",
            "a retired expert stays",
            Edit.returns("with", "PoolEvent$Retired", Edit.Value.ITSELF)),
    TAKES_THE_OLDEST(
            "dev.tributary.merge.Wish",
            "the oldest checkpoint of a task is merged in the place of the newest",
            Edit.callsWrong("of", "getLast")),
    MERGES_NOTHING_NEW(
            "dev.tributary.merge.Wish",
            "what is wanted never counts as new",
            Edit.returns("isNewTo", Edit.Value.FALSE)),
    SETS_NOTHING_ASIDE(
            "dev.tributary.merge.Answer",
            "refused records vanish",
            Edit.returns("refused", Edit.Value.EMPTY_LIST)),
    REFUSES_NOTHING(
            "dev.tributary.merge.Admitter",
            "no fault keeps a checkpoint out",
            Edit.returns("refuse", Edit.Value.NOTHING)),
    COVERS_BACKWARDS(
            "dev.tributary.merge.PartitionBook",
            "events are covered in the wrong order",
            Edit.callsWrong("ids", "toList")),
    ANSWERS_FOR_EVER(
            "dev.tributary.merge.PartitionBook",
            "what has its answer still waits for one",
            Edit.keeps("published", "open")),
    READS_OLD_STATES(
            "dev.tributary.merge.PoolTable",
            "a new owner begins with the oldest state of a pool",
            Edit.callsWrong("read", "put")),
    WRITES_NO_STATES(
            "dev.tributary.merge.Answer",
            "states of pools are not written down",
            Edit.returns("states", Edit.Value.EMPTY_LIST)),
    ANSWERS_EVERY_POOL(
            "dev.tributary.merge.OpenRecords",
            "an answer to one pool settles the records of all",
            Edit.callsWrong("answer", "contains")),
    COUNTS_FROM_ONE(
            "dev.tributary.merge.LastGeneration",
            "every generation is number one",
            Edit.returns("number", Edit.Value.ZERO)),
    MOVES_PIECE_BY_PIECE(
            "dev.tributary.tensors.FolderArtifactStore",
            "an artifact can be seen before it is whole",
            Edit.callsWrong("publish", "move")),
    WRITES_THE_TIME(
            "dev.tributary.merging.ModelCard",
            "the time of day gets into artifacts",
            Edit.callsWrong("text", "formatted")),
    PUBLISHES_NO_SCORE(
            "dev.tributary.eval.scoring.RequestListener",
            "scores are computed and not published",
            Edit.skips("evaluate", "publish")),
    REACHES_NO_VERDICT(
            "dev.tributary.eval.tally.OpenGeneration",
            "a generation never has all its scores",
            Edit.returns("complete", Edit.Value.FALSE)),
    JUDGES_TWICE(
            "dev.tributary.eval.tally.TallyListener",
            "what follows from a record is told twice",
            Edit.repeats("send", "forward"));

    private final String className;
    private final String bug;

    @SuppressWarnings("ImmutableEnumChecker") // records of strings and enums
    private final @Nullable Edit edit;

    Mutant(String className, String bug, @Nullable Edit edit) {
        this.className = className;
        this.bug = bug;
        this.edit = edit;
    }

    /// The class that has the bug; empty for none.
    public String className() {
        return className;
    }

    /// What is wrong, for people.
    public String bug() {
        return bug;
    }

    /// The class with the bug.
    ///
    /// @throws IllegalStateException when the class has nothing to be changed
    public byte[] applyTo(byte[] bytes, ClassHierarchyResolver types) {
        if (edit == null) {
            return bytes;
        }
        ClassFile files = MutantAgent.classFile(types);
        ClassModel model = files.parse(bytes);
        AtomicInteger changed = new AtomicInteger();
        byte[] mutated =
                files.transformClass(
                        model,
                        (builder, element) -> {
                            CodeTransform change =
                                    element instanceof MethodModel method ? edit.of(method) : null;
                            if (change == null) {
                                builder.with(element);
                            } else {
                                changed.incrementAndGet();
                                builder.transformMethod(
                                        (MethodModel) element,
                                        MethodTransform.transformingCode(change));
                            }
                        });
        if (changed.get() == 0) {
            throw new IllegalStateException(
                    "[%s] %s has nothing of what it changes".formatted(this, className));
        }
        return mutated;
    }
}

package dev.tributary.merging;

import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.Workers;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.Head;
import dev.tributary.models.InputReader;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// All it takes to evaluate a descent's objective: the model in memory, the experts' answers to
/// their tasks' inputs, and the task vectors. Experts whose answers are not known are run first.
///
/// Holds one model in memory whatever the number of experts, plus its gradients; experts are read
/// from their mapped files.
final class DescentBench implements AutoCloseable {
    private static final int ROWS_PER_BATCH = 16;

    private final MergePlan plan;
    private final LearnsCoefficients method;
    private final Digest base;
    private final TeacherCache cache;
    private final Progress progress;
    private final Workers workers = Workers.create();
    private @Nullable RunningModel model;
    private @Nullable Heads heads;
    private @Nullable DivMergeObjective objective;
    private List<DivMergeTask> tasks = List.of();

    private DescentBench(
            MergePlan plan,
            LearnsCoefficients method,
            Digest base,
            Path cacheFolder,
            Progress progress) {
        this.plan = plan;
        this.method = method;
        this.base = base;
        this.cache = new TeacherCache(cacheFolder);
        this.progress = progress;
    }

    /// Gets everything ready.
    ///
    /// @param base the base's digest
    /// @param cacheFolder where experts' answers are kept between runs
    /// @throws RefusedException for a NaN or an infinity in any checkpoint, with its place
    static DescentBench open(
            MergePlan plan,
            LearnsCoefficients method,
            Digest base,
            Path cacheFolder,
            Progress progress) {
        DescentBench bench = new DescentBench(plan, method, base, cacheFolder, progress);
        try {
            bench.open();
            return bench;
        } catch (RuntimeException | Error e) {
            bench.close();
            throw e;
        }
    }

    private void open() {
        List<Asked> questions = questions();
        RunningModel running =
                Questions.open(plan.base(), questions.stream().map(Asked::questions).toList());
        model = running;
        Heads opened = Heads.open(running, plan);
        heads = opened;
        TaskVectors vectors = new TaskVectors(plan, running, workers);
        tasks = tasks(questions, running, vectors, opened);
        running.train(vectors.changedNames());
        objective = new DivMergeObjective(running, vectors, tasks, method.loss());
    }

    DivMergeObjective objective() {
        return Objects.requireNonNull(objective);
    }

    /// In the plan's order of members.
    List<DivMergeTask> tasks() {
        return tasks;
    }

    @Override
    public void close() {
        if (heads != null) {
            heads.close();
        }
        if (model != null) {
            model.close();
        }
        workers.close();
    }

    /// What an expert is asked.
    ///
    /// @param key under which its answers are kept
    private record Asked(Member member, Questions questions, TeacherCache.Key key) {}

    private List<Asked> questions() {
        int positions = ModelConfig.of(plan.base().config(), "base config.json").maxPositions();
        try (InputReader reader = InputReader.open(plan.base())) {
            return plan.members().stream()
                    .map(member -> questions(member, reader, positions))
                    .toList();
        }
    }

    private Asked questions(Member member, InputReader reader, int positions) {
        CalibrationSet calibration = Questions.calibration(member);
        List<Example> chosen = chosen(calibration);
        return new Asked(
                member,
                Questions.of(calibration, chosen, reader, positions),
                new TeacherCache.Key(
                        member.digest(),
                        base,
                        Questions.digest(calibration, chosen),
                        reader.digest(),
                        calibration.maxTokens(),
                        calibration.generation() == null ? 0 : method.teacherTokens()));
    }

    private List<DivMergeTask> tasks(
            List<Asked> questions, RunningModel model, TaskVectors vectors, Heads heads) {
        List<DivMergeTask> tasks = new ArrayList<>();
        for (int m = 0; m < questions.size(); m++) {
            progress.update("asking experts", m, questions.size());
            Asked asked = questions.get(m);
            Head head = heads.of(asked.member().task());
            boolean generates = asked.questions().generation() != null;
            if (!method.asksExperts() && head != null) {
                CalibrationInputs inputs = asked.questions().answered(model, List.of());
                Teacher undecided = Teacher.undecided(inputs.size(), head.labels());
                tasks.add(new DivMergeTask(asked.member().task(), head, inputs, undecided));
                continue;
            }
            int labels = head == null ? model.config().vocabulary() : head.labels();
            Optional<Teacher> known =
                    cache.find(asked.key())
                            .filter(t ->
                                    t.labels() == labels
                                            && (generates ? t.answers().size() : t.items())
                                                    == asked.questions().inputs().size());
            tasks.add(
                    known.isPresent()
                            ? task(asked, head, known.get(), model)
                            : ask(m, asked, head, model, vectors));
        }
        vectors.leave();
        return tasks;
    }

    private static DivMergeTask task(
            Asked asked, @Nullable Head head, Teacher teacher, RunningModel model) {
        CalibrationInputs inputs = asked.questions().answered(model, teacher.answers());
        return new DivMergeTask(asked.member().task(), head, inputs, teacher);
    }

    private DivMergeTask ask(
            int place, Asked asked, @Nullable Head head, RunningModel model, TaskVectors vectors) {
        vectors.become(place);
        List<long[]> answers = asked.questions().generate(model);
        CalibrationInputs inputs = asked.questions().answered(model, answers);
        Teacher teacher =
                ask(asked.member().task(), model, head, inputs, asked.key().leading())
                        .answering(answers);
        return task(asked, head, cache.keep(asked.key(), teacher), model);
    }

    /// So many inputs as the method wants, drawn by its seed: a file may be sorted by label.
    private List<Example> chosen(CalibrationSet calibration) {
        List<Example> inputs = calibration.inputs();
        return CalibrationSampler.sample(
                        method.descent().seed(),
                        calibration.task(),
                        inputs.size(),
                        method.calibrationItems())
                .stream()
                .map(inputs::get)
                .toList();
    }

    /// Runs the model, which holds an expert's weights, over all inputs.
    ///
    /// @param head null where the answers are the model's own
    /// @param leading outcomes to keep one by one; 0 for all
    static Teacher ask(
            String task,
            RunningModel model,
            @Nullable Head head,
            CalibrationInputs inputs,
            int leading) {
        Teacher.Recorder recorder = new Teacher.Recorder(inputs.allAnswers(), leading);
        for (int[] items : inputs.byLength(ROWS_PER_BATCH)) {
            for (int[] part : model.parts(inputs, items, model.passBytes())) {
                model.loss(
                        head,
                        inputs.batch(part),
                        (logits, rows, labels, _) -> {
                            record(task, inputs, part, logits, rows, labels, recorder);
                            return 0;
                        });
            }
        }
        return recorder.teacher();
    }

    private static void record(
            String task,
            CalibrationInputs inputs,
            int[] items,
            float[] logits,
            int rows,
            int labels,
            Teacher.Recorder recorder) {
        for (int i = 0; i < rows * labels; i++) {
            if (!Float.isFinite(logits[i])) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.NON_FINITE,
                                task,
                                "the expert answers its calibration inputs with %s, expected"
                                                .formatted(logits[i])
                                        + " finite logits"));
            }
        }
        int row = 0;
        for (int item : items) {
            for (int answer = 0; answer < inputs.answers(item); answer++) {
                recorder.add(inputs.firstAnswer(item) + answer, logits, row * labels, labels);
                row++;
            }
        }
    }
}

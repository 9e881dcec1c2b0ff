package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.Workers;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.Head;
import dev.tributary.models.InputReader;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Learns coefficients: DivMerge's (arXiv 2509.02108), for which it runs every expert once over its
/// task's calibration inputs, keeps its answers, and moves the coefficients until the merged model
/// answers alike; or those of another method with another loss.
///
/// Holds one model in memory whatever the number of experts, plus its gradients; experts are read
/// from their mapped files.
public final class DivMergeOptimizer {
    private static final int ROWS_PER_BATCH = 16;

    private final MergePlan plan;
    private final LearnsCoefficients method;
    private final Path cacheFolder;
    private final TeacherCache cache;
    private final @Nullable GenerationIdentity identity;
    private final Progress progress;

    private DivMergeOptimizer(
            MergePlan plan,
            Path cacheFolder,
            @Nullable GenerationIdentity identity,
            Progress progress) {
        this.plan = plan;
        this.cacheFolder = cacheFolder;
        this.identity = identity;
        this.method =
                plan.method()
                        .as(LearnsCoefficients.class)
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "[optimizer] %s learns no coefficients"
                                                .formatted(plan.method().id())));
        this.cache = new TeacherCache(cacheFolder);
        this.progress = progress;
    }

    /// Learns the coefficients of a plan.
    ///
    /// @param previous coefficients to start from, usually the last generation's; a task or layer
    ///   they lack starts where DivMerge starts; null to start there with all
    /// @param cacheFolder where experts' answers are kept between runs, and how far a run has come
    /// @param identity names what is merged, so that a run that is cut off goes on where it was;
    ///   null where it has no name, and always begins anew
    /// @throws RefusedException for a NaN or an infinity in any checkpoint, with its place
    public static DivMergeResult optimise(
            MergePlan plan,
            @Nullable Coefficients previous,
            Path cacheFolder,
            @Nullable GenerationIdentity identity,
            Progress progress) {
        return new DivMergeOptimizer(plan, cacheFolder, identity, progress).optimise(previous);
    }

    private DivMergeResult optimise(@Nullable Coefficients previous) {
        List<String> tasks = plan.tasks();
        if (tasks.size() == 1) {
            return nothingToLearn(tasks.getFirst());
        }
        Coefficients start =
                previous == null
                        ? Coefficients.uniform(
                                granularity(), tasks, plan.groups(), method.start(tasks.size()))
                        : previous.startFor(
                                granularity(), tasks, plan.groups(), plan.layerOfTensor());
        List<Asked> questions = questions();
        try (Workers workers = Workers.create();
                RunningModel model =
                        Questions.open(
                                plan.base(), questions.stream().map(Asked::questions).toList());
                Heads heads = Heads.open(model, plan)) {
            TaskVectors vectors = new TaskVectors(plan, model, workers);
            List<DivMergeTask> divMergeTasks = tasks(questions, model, vectors, heads);
            model.train(vectors.changedNames());
            return descended(
                    new DivMergeObjective(model, vectors, divMergeTasks, method.loss()),
                    divMergeTasks,
                    start);
        }
    }

    private DivMergeResult descended(
            Objective objective, List<DivMergeTask> tasks, Coefficients start) {
        Optional<AnswerJournal> journal =
                identity == null
                        ? Optional.empty()
                        : AnswerJournal.open(
                                cacheFolder, "%s\n%s".formatted(identity.digest(), start));
        if (journal.isEmpty()) {
            return descend(objective, tasks, start);
        }
        try (AnswerJournal kept = journal.get()) {
            return descend(new JournaledObjective(objective, kept), tasks, start);
        }
    }

    private DivMergeResult descend(
            Objective objective, List<DivMergeTask> tasks, Coefficients start) {
        return switch (method.solver()) {
            case ADAM -> new Descent(objective, method, tasks, start, progress).run();
            case LBFGS ->
                    new LbfgsDescent(
                                    objective,
                                    method.id(),
                                    method.descent(),
                                    tasks,
                                    start,
                                    progress)
                            .run();
        };
    }

    private Granularity granularity() {
        return method.descent().granularity();
    }

    /// One expert, whole: its divergence from itself is zero.
    private DivMergeResult nothingToLearn(String task) {
        Coefficients whole = Coefficients.uniform(granularity(), List.of(task), plan.groups(), 1.0);
        SequencedMap<String, Double> none =
                Collections.unmodifiableSequencedMap(new TreeMap<>(java.util.Map.of(task, 0.0)));
        return new DivMergeResult(whole, whole, none, none, List.of(new LossPoint(0, 0.0)), 0);
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

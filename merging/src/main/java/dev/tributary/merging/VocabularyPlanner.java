package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.TextTokenizer;
import dev.tributary.models.Vocabulary;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Compares the tokens of several models, and finds out for every tensor over the vocabulary which
/// row of each model belongs to which token. Where tokens or rows differ and nobody said whose are
/// wanted, that is a fault: rows are never cut, and never added up with those of other tokens.
final class VocabularyPlanner {
    private static final String OPTION = "tokenizer_source";
    private static final int EXAMPLES = 5;
    private static final int SHOWN = 40;

    private final Checkpoint base;
    private final List<Member> members;
    private final @Nullable VocabularyChoice choice;
    private final MergeMethod method;
    private final TensorNames baseNames;
    private final List<TensorNames> memberNames;
    private final List<Fault> faults;

    private final Map<String, VocabularyAxis> axes = new TreeMap<>();
    private final Set<String> differing = new HashSet<>();
    private final List<@Nullable Vocabulary> own = new ArrayList<>();
    private @Nullable Vocabulary ofBase;

    VocabularyPlanner(
            Checkpoint base,
            List<Member> members,
            @Nullable VocabularyChoice choice,
            MergeMethod method,
            TensorNames baseNames,
            List<TensorNames> memberNames,
            List<Fault> faults) {
        this.base = base;
        this.members = members;
        this.choice = choice;
        this.method = method;
        this.baseNames = baseNames;
        this.memberNames = memberNames;
        this.faults = faults;
    }

    /// The plan; empty where the models' rows can be merged as they lie.
    Optional<VocabularyPlan> plan() {
        Optional<String> embedding = VocabularyAxis.embedding(baseNames.tensors());
        if (embedding.isEmpty()) {
            return Optional.empty();
        }
        findAxes(embedding.get());
        try {
            readTokens();
        } catch (RefusedException e) {
            faults.addAll(e.faults());
            return Optional.empty();
        }
        boolean differs = false;
        for (int m = 0; m < members.size(); m++) {
            if (differs(m, axis(embedding.get()).rows())) {
                differs = true;
                differing.add(members.get(m).task());
            }
        }
        if (choice == null) {
            if (differs) {
                refuse(embedding.get());
            }
            return Optional.empty();
        }
        if (!differs && choice.padToMultipleOf() == 1) {
            return Optional.empty();
        }
        return aligned(embedding.get(), choice);
    }

    /// Whether a tensor of an expert can differ from the base's in its rows alone, which is then
    /// told about here.
    boolean covers(int member, String tensor) {
        return axes.containsKey(tensor) && rows(member, tensor).isPresent();
    }

    /// Whether an expert's number of rows is told about here.
    boolean tellsOf(Member member) {
        return differing.contains(member.task());
    }

    private void findAxes(String embedding) {
        TensorInfo table = info(baseNames, embedding).orElseThrow();
        for (Map.Entry<String, TensorInfo> tensor : baseNames.tensors().entrySet()) {
            String name = tensor.getKey();
            Optional<VocabularyAxis> axis = VocabularyAxis.of(name, tensor.getValue());
            for (TensorNames names : memberNames) {
                axis = axis.or(() -> growing(names, table, embedding, name, tensor.getValue()));
            }
            axis.ifPresent(found -> axes.put(name, found));
        }
    }

    private static Optional<VocabularyAxis> growing(
            TensorNames names, TensorInfo table, String embedding, String name, TensorInfo info) {
        Optional<TensorInfo> other = info(names, name);
        Optional<TensorInfo> otherTable = info(names, embedding);
        if (other.isEmpty() || otherTable.isEmpty() || otherTable.get().shape().isEmpty()) {
            return Optional.empty();
        }
        return VocabularyAxis.growing(
                info, table.shape().getFirst(), other.get(), otherTable.get().shape().getFirst());
    }

    private static Optional<TensorInfo> info(TensorNames names, String tensor) {
        return Optional.ofNullable(names.tensors().get(tensor));
    }

    /// Reads the tokens of those models whose tokens can differ from the base's: not where files
    /// are byte for byte the same, or missing, as they often are beside a fine-tuned model.
    private void readTokens() {
        List<Fault> unreadable = new ArrayList<>();
        boolean needed = choice != null;
        for (int m = 0; m < members.size(); m++) {
            Checkpoint expert = members.get(m).expert();
            boolean same = sameFile(base.directory(), expert.directory());
            own.add(same ? null : read(expert, unreadable));
            needed |= own.get(m) != null || rowsDiffer(m);
        }
        if (needed) {
            ofBase = read(base, unreadable);
            for (int m = 0; m < members.size(); m++) {
                if (sameFile(base.directory(), members.get(m).expert().directory())) {
                    own.set(m, ofBase);
                }
            }
        }
        if (!unreadable.isEmpty()) {
            throw new RefusedException(unreadable);
        }
    }

    private static @Nullable Vocabulary read(Checkpoint checkpoint, List<Fault> unreadable) {
        try {
            return Vocabulary.read(checkpoint.directory()).orElse(null);
        } catch (RefusedException e) {
            unreadable.addAll(e.faults());
            return null;
        }
    }

    private static boolean sameFile(Path one, Path other) {
        Path first = one.resolve(TextTokenizer.FILE);
        Path second = other.resolve(TextTokenizer.FILE);
        try {
            return Files.isRegularFile(first)
                    && Files.isRegularFile(second)
                    && Files.mismatch(first, second) < 0;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot compare %s".formatted(second), e);
        }
    }

    /// An expert without files of its own has the base's tokens where it has as many rows.
    private @Nullable Vocabulary tokensOf(int member) {
        Vocabulary tokens = own.get(member);
        return tokens == null && !rowsDiffer(member) ? ofBase : tokens;
    }

    private boolean differs(int member, long rows) {
        return rowsDiffer(member) || tokensDiffer(member, rows);
    }

    private boolean rowsDiffer(int member) {
        return axes.entrySet().stream()
                .anyMatch(axis -> {
                    OptionalLong rows = rows(member, axis.getKey());
                    return rows.isPresent() && rows.getAsLong() != axis.getValue().rows();
                });
    }

    /// A token without a row anywhere differs from nothing: many tokenizers have got one that their
    /// model was never trained with.
    private boolean tokensDiffer(int member, long rows) {
        Vocabulary tokens = own.get(member);
        return tokens != null
                && tokens != ofBase
                && ofBase != null
                && firstDifference(tokens, rows) != null;
    }

    /// The rows of a tensor in an expert; none where it lacks the tensor, or it is of another shape
    /// altogether.
    private OptionalLong rows(int member, String tensor) {
        return info(memberNames.get(member), tensor)
                .map(info -> axis(tensor).rowsOf(info))
                .orElse(OptionalLong.empty());
    }

    private VocabularyAxis axis(String tensor) {
        return Objects.requireNonNull(axes.get(tensor), tensor);
    }

    /// The first id below a limit that stands for one token in the base and for another, or none,
    /// in an expert.
    private @Nullable Integer firstDifference(Vocabulary tokens, long below) {
        Vocabulary ofBaseNow = ofBase;
        if (ofBaseNow == null) {
            return null;
        }
        long end = Math.min(below, Math.max(tokens.size(), ofBaseNow.size()));
        for (int id = 0; id < end; id++) {
            if (!Objects.equals(tokens.token(id), ofBaseNow.token(id))) {
                return id;
            }
        }
        return null;
    }

    private void refuse(String embedding) {
        for (int m = 0; m < members.size(); m++) {
            if (!differing.contains(members.get(m).task())) {
                continue;
            }
            String task = members.get(m).task();
            Vocabulary tokens = own.get(m);
            for (Map.Entry<String, VocabularyAxis> axis : axes.entrySet()) {
                OptionalLong rows = rows(m, axis.getKey());
                boolean told =
                        rows.isPresent()
                                && (rows.getAsLong() != axis.getValue().rows()
                                        || (!rowsDiffer(m) && axis.getKey().equals(embedding)));
                if (told) {
                    fault(
                            FailureCode.VOCABULARY_MISMATCH,
                            task + " " + axis.getKey(),
                            "has %d vocabulary rows, the base %d, and %s"
                                    .formatted(
                                            rows.getAsLong(),
                                            axis.getValue().rows(),
                                            difference(tokens)));
                }
            }
        }
    }

    private String difference(@Nullable Vocabulary tokens) {
        if (tokens == null || ofBase == null) {
            return "no tokenizer.json, vocab.json or vocab.txt beside %s says which tokens they are:"
                            .formatted(tokens == null ? "it" : "the base")
                    + " put it there, then align rows by token with tokenizer_source (base, union or"
                    + " a model of the recipe)";
        }
        Integer first = firstDifference(tokens, Long.MAX_VALUE);
        String found =
                first == null
                        ? "the same tokens: they differ in rows that no token uses"
                        : "its first other token is %d, %s here and %s there"
                                .formatted(
                                        first,
                                        shown(tokens.token(first)),
                                        shown(ofBase.token(first)));
        return found
                + ": align rows by token with tokenizer_source (base, union or a model of the"
                + " recipe)";
    }

    private static String shown(@Nullable String token) {
        if (token == null) {
            return "none";
        }
        String printable = token.replaceAll("\\p{Cntrl}", "\uFFFD");
        return printable.length() > SHOWN
                ? "'" + printable.substring(0, SHOWN) + "…'"
                : "'" + printable + "'";
    }

    private Optional<VocabularyPlan> aligned(String embedding, VocabularyChoice chosen) {
        if (method.needs().runsModels()) {
            fault(
                    FailureCode.BAD_OPTION,
                    OPTION,
                    "would align the rows of different tokens, but %s runs the models, each with its"
                                    .formatted(method.id())
                            + " own: expected a method that needs no data, or models of one"
                            + " vocabulary");
            return Optional.empty();
        }
        Vocabulary tokensOfBase = required(base, "base", ofBase);
        List<Vocabulary> tokens = new ArrayList<>();
        for (int m = 0; m < members.size(); m++) {
            Member member = members.get(m);
            Vocabulary found = required(member.expert(), member.task(), tokensOf(m));
            if (found != null) {
                tokens.add(found);
            }
        }
        if (tokensOfBase == null || tokens.size() < members.size()) {
            return Optional.empty();
        }
        return Optional.of(aligned(embedding, chosen, tokensOfBase, tokens));
    }

    private @Nullable Vocabulary required(
            Checkpoint checkpoint, String where, @Nullable Vocabulary tokens) {
        if (tokens == null) {
            fault(
                    FailureCode.VOCABULARY_MISMATCH,
                    where,
                    "has no tokenizer.json, vocab.json or vocab.txt in %s, expected one: rows are"
                                    .formatted(RecipePaths.lastPart(checkpoint.directory()))
                            + " aligned by their tokens");
        }
        return tokens;
    }

    private VocabularyPlan aligned(
            String embedding,
            VocabularyChoice chosen,
            Vocabulary tokensOfBase,
            List<Vocabulary> tokens) {
        MergedVocabulary merged = merged(embedding, chosen, tokensOfBase, tokens);
        Map<String, RowAlignment> alignments = new TreeMap<>();
        for (Map.Entry<String, VocabularyAxis> entry : axes.entrySet()) {
            align(entry.getKey(), chosen, merged, tokensOfBase, tokens)
                    .filter(rows -> !rows.straight(entry.getValue().rows()))
                    .ifPresent(rows -> alignments.put(entry.getKey(), rows));
        }
        int source = modelChosen(chosen);
        long rows =
                Optional.ofNullable(alignments.get(embedding))
                        .map(a -> (long) a.rows())
                        .orElse(axis(embedding).rows());
        return new VocabularyPlan(
                chosen,
                source < 0 ? base : members.get(source).expert(),
                merged.tokens(),
                rows,
                shares(embedding, merged, tokens),
                merged.added(),
                alignments,
                digest(chosen, tokensOfBase, tokens));
    }

    private MergedVocabulary merged(
            String embedding,
            VocabularyChoice chosen,
            Vocabulary tokensOfBase,
            List<Vocabulary> tokens) {
        return switch (chosen.source()) {
            case BASE -> MergedVocabulary.of(tokensOfBase);
            case MODEL -> MergedVocabulary.of(tokens.get(modelChosen(chosen)));
            case UNION -> {
                List<Long> rows = new ArrayList<>();
                for (int m = 0; m < members.size(); m++) {
                    rows.add(rows(m, embedding).orElse(0));
                }
                MergedVocabulary union = MergedVocabulary.union(tokensOfBase, tokens, rows);
                refuseUnwritable(tokensOfBase, union.added());
                yield union;
            }
        };
    }

    /// Tokens of a list can only be added at its end, where added tokens are already.
    private void refuseUnwritable(Vocabulary tokensOfBase, List<VocabularyPlan.Added> added) {
        boolean oneFile = Files.isRegularFile(base.directory().resolve(TextTokenizer.FILE));
        if (!added.isEmpty() && !oneFile) {
            fault(
                    FailureCode.BAD_OPTION,
                    OPTION,
                    "union adds %d tokens to the base's tokenizer, which has no tokenizer.json to"
                                    .formatted(added.size())
                            + " take them: save it with tokenizer.save_pretrained, or expected base"
                            + " or a model of the recipe");
        }
        long inList = added.stream().filter(token -> token.entry().isEmpty()).count();
        if (oneFile && tokensOfBase.listed() && inList > 0) {
            fault(
                    FailureCode.BAD_OPTION,
                    OPTION,
                    "union would add %d tokens to a unigram model, which has probabilities that are"
                                    .formatted(inList)
                            + " not comparable: expected base or a model of the recipe");
        }
    }

    /// The place of the member whose tokens were chosen; negative for the base's.
    private int modelChosen(VocabularyChoice chosen) {
        for (int m = 0; m < members.size(); m++) {
            if (members.get(m).expert().directory().equals(chosen.model())) {
                return m;
            }
        }
        if (chosen.source() == VocabularyChoice.Source.MODEL) {
            throw new IllegalArgumentException(
                    "[%s] '%s' is none of the models".formatted(OPTION, chosen.model()));
        }
        return -1;
    }

    /// Empty where an expert lacks the tensor, which is told elsewhere.
    private Optional<RowAlignment> align(
            String tensor,
            VocabularyChoice chosen,
            MergedVocabulary merged,
            Vocabulary tokensOfBase,
            List<Vocabulary> tokens) {
        long[] rows = new long[members.size()];
        for (int m = 0; m < rows.length; m++) {
            OptionalLong found = rows(m, tensor);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            rows[m] = found.getAsLong();
        }
        VocabularyAxis axis = axis(tensor);
        int source = modelChosen(chosen);
        long whole = source < 0 ? axis.rows() : rows[source];
        if (!merged.added().isEmpty()) {
            whole = Math.max(whole, merged.tokensEnd());
        }
        int height = Math.toIntExact(chosen.padded(whole));
        List<int[]> inMembers = new ArrayList<>();
        for (int m = 0; m < rows.length; m++) {
            inMembers.add(merged.rowsIn(tokens.get(m), rows[m], height));
        }
        return Optional.of(
                new RowAlignment(
                        axis.withRows(height),
                        axis.columns(),
                        merged.rowsIn(tokensOfBase, axis.rows(), height),
                        inMembers));
    }

    private List<VocabularyPlan.Share> shares(
            String embedding, MergedVocabulary merged, List<Vocabulary> tokens) {
        List<VocabularyPlan.Share> shares = new ArrayList<>();
        for (int m = 0; m < members.size(); m++) {
            long rows = rows(m, embedding).orElse(0);
            shares.add(share(members.get(m).task(), merged, tokens.get(m), rows));
        }
        return shares;
    }

    private static VocabularyPlan.Share share(
            String task, MergedVocabulary merged, Vocabulary tokens, long rows) {
        int shared = 0;
        int leftOut = 0;
        List<String> examples = new ArrayList<>();
        for (int id = 0; id < Math.min(tokens.size(), rows); id++) {
            String token = tokens.token(id);
            if (token != null && merged.has(token)) {
                shared++;
            } else if (token != null) {
                leftOut++;
                if (examples.size() < EXAMPLES) {
                    examples.add(token);
                }
            }
        }
        return new VocabularyPlan.Share(task, shared, merged.tokens() - shared, leftOut, examples);
    }

    private Digest digest(
            VocabularyChoice chosen, Vocabulary tokensOfBase, Collection<Vocabulary> tokens) {
        StringBuilder text = new StringBuilder();
        int source = modelChosen(chosen);
        text.append(chosen.source()).append(' ').append(chosen.padToMultipleOf()).append('\n');
        text.append(source < 0 ? "base" : members.get(source).task()).append('\n');
        text.append(tokensOfBase.digest().value()).append('\n');
        tokens.forEach(one -> text.append(one.digest().value()).append('\n'));
        return Digest.ofText(text.toString());
    }

    private void fault(FailureCode code, String where, String sentence) {
        faults.add(new Fault(code, where, sentence));
    }
}

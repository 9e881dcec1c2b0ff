package dev.tributary.merging;

import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.InputReader;
import dev.tributary.models.Inputs;
import dev.tributary.models.RunningModel;
import dev.tributary.models.TextGeneration;
import dev.tributary.models.TextTokenizer;
import dev.tributary.models.TokenSubset;
import dev.tributary.models.TokenizedTexts;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What an expert is asked: calibration inputs as it reads them.
///
/// @param inputs what is classified, or prompts
/// @param generation how texts are asked for; null where a label is chosen
record Questions(Inputs inputs, @Nullable TextGeneration generation) {

    /// Some inputs of a member.
    static Questions of(
            CalibrationSet set, List<Example> inputs, InputReader reader, int maxPositions) {
        TextGeneration generation = set.generation();
        if (generation == null || !(reader instanceof TextTokenizer tokenizer)) {
            return new Questions(reader.read(inputs, set.maxTokens()), null);
        }
        int room = Math.max(1, maxPositions - generation.maxNewTokens());
        int most = Math.min(set.maxTokens(), room);
        return new Questions(tokenizer.prompts(generation, inputs, most), generation);
    }

    static CalibrationSet calibration(Member member) {
        return Objects.requireNonNull(
                member.calibration(), "a plan without inputs should have been refused");
    }

    /// The digest of inputs and of how they are put.
    static Digest digest(CalibrationSet set, List<Example> inputs) {
        Digest ofInputs = TeacherCache.Key.of(inputs);
        TextGeneration generation = set.generation();
        return generation == null
                ? ofInputs
                : Digest.ofText("%s\n%s".formatted(ofInputs, generation.identity()));
    }

    /// A base whose table of embeddings holds no more than what is asked needs; all of it where
    /// answers may have any token.
    static RunningModel open(Checkpoint base, List<Questions> questions) {
        List<TokenizedTexts> texts = new ArrayList<>();
        for (Questions asked : questions) {
            if (asked.generation() == null && asked.inputs() instanceof TokenizedTexts some) {
                texts.add(some);
            }
        }
        return texts.size() == questions.size()
                ? RunningModel.open(base, TokenSubset.of(texts))
                : RunningModel.open(base);
    }

    private TokenizedTexts prompts() {
        if (inputs instanceof TokenizedTexts prompts) {
            return prompts;
        }
        throw new IllegalStateException("images where prompts are expected");
    }

    /// What an expert, whose weights the model holds, answers in full; nothing where a label is
    /// chosen.
    List<long[]> generate(RunningModel model) {
        return generation == null
                ? List.of()
                : model.generate(prompts(), generation.maxNewTokens(), model.endTokens());
    }

    /// The inputs, each with its answer where there are such.
    CalibrationInputs answered(RunningModel model, List<long[]> answers) {
        return CalibrationInputs.of(
                generation == null ? inputs : model.answered(prompts(), answers));
    }
}

package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Generation.Member;
import dev.tributary.eval.verdict.Alerts;
import dev.tributary.eval.verdict.Judgement;
import java.util.OptionalLong;

/// Something the world is to be told because of a record.
public sealed interface Consequence {

    /// The generation it is about.
    Generation generation();

    /// A score is needed.
    record ScoreWanted(Generation generation, Member member) implements Consequence {}

    /// A verdict was reached.
    ///
    /// @param championNumber the generation compared with
    record Judged(Generation generation, Judgement judgement, OptionalLong championNumber)
            implements Consequence {}

    /// The generation is the one to serve from now on.
    ///
    /// @param previousNumber the one served until now
    /// @param first whether there was nothing to compare it with
    record Promoted(Generation generation, OptionalLong previousNumber, boolean first)
            implements Consequence {}

    /// An alert began or ended.
    ///
    /// @param judgement what brought it about
    /// @param championNumber the generation compared with
    record AlertChanged(
            Generation generation,
            Alerts.Change change,
            Judgement judgement,
            OptionalLong championNumber)
            implements Consequence {}
}

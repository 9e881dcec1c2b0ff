package dev.tributary.merging;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Others who may work on the shares of a descent's questions. They come and go as they like:
/// nothing of what they say is believed before it was checked, and nobody waits for them for long.
public interface Colleagues {
    /// Nobody.
    Colleagues NONE =
            new Colleagues() {
                @Override
                public List<String> present() {
                    return List.of();
                }

                @Override
                public void ask(DescentQuestion question, Map<Integer, String> shares) {}

                @Override
                public Optional<Answered> next(Duration patience) {
                    return Optional.empty();
                }
            };

    /// What somebody says.
    ///
    /// @param question its number
    record Answered(String colleague, long question, int share, ShareAnswer answer) {}

    /// Who is ready to be asked.
    List<String> present();

    /// Tells everybody what is asked, and who is to answer which share.
    ///
    /// @param shares by share, who is asked; others are not to
    void ask(DescentQuestion question, Map<Integer, String> shares);

    /// The next answer that has come or comes within some time, to whatever question.
    Optional<Answered> next(Duration patience) throws InterruptedException;
}

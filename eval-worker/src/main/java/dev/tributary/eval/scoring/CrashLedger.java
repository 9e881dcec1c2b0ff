package dev.tributary.eval.scoring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jboss.logging.Logger;

/// Counts on disk how often a piece of work was begun and never ended. Whatever ends the whole
/// process, such as a native library that fails or memory that runs out, leaves no other trace.
///
/// A disk that cannot be written to means no counting, not no work.
record CrashLedger(Path folder) {

    private static final Logger LOG = Logger.getLogger(CrashLedger.class);

    /// Writes down that work begins.
    ///
    /// @param work names the work; the same name is the same work
    /// @return how often it was begun and not ended before, 0 when never
    int begin(String work) {
        int before = 0;
        try {
            Files.createDirectories(folder);
            Path file = file(work);
            before = Files.exists(file) ? count(file) : 0;
            Files.write(file, Integer.toString(before + 1).getBytes(UTF_8));
        } catch (IOException e) {
            LOG.warnf("beginning not written down in %s: %s", folder, e);
        }
        return before;
    }

    /// Writes down that work has ended, well or not: the process has survived it.
    void end(String work) {
        try {
            Files.deleteIfExists(file(work));
        } catch (IOException e) {
            LOG.warnf("ending not written down in %s: %s", folder, e);
        }
    }

    private Path file(String work) {
        return folder.resolve(Digest.ofText(work).hex());
    }

    /// A file that a loss of power left empty counts as one beginning.
    private static int count(Path file) throws IOException {
        String text = Files.readString(file).strip();
        return text.matches("\\d{1,6}") ? Integer.parseInt(text) : 1;
    }
}

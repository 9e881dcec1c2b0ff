package dev.tributary.merge;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// What this worker needs and whether it is there. Says so in the log once each time it changes,
/// however often it is asked.
final class Dependencies {
    private static final Logger LOG = Logger.getLogger(Dependencies.class);

    private final Map<Need, String> missing = new EnumMap<>(Need.class);
    private final Map<Need, Boolean> seen = new EnumMap<>(Need.class);

    /// The things needed.
    enum Need {
        /// The broker answers.
        BROKER,
        /// The schema registry answers.
        REGISTRY,
        /// Topics, features and schemas are as the catalogue has them.
        CONTRACT,
        /// The artifact store can be used.
        STORE;

        String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /// It is there.
    synchronized void there(Need need, String where) {
        boolean change = missing.remove(need) != null || seen.put(need, true) == null;
        if (change) {
            LOG.infof("%s is there %s", need.text(), where);
        }
    }

    /// It is not there.
    ///
    /// @param sentence what was found, what was expected, what to do
    synchronized void missing(Need need, String where, String sentence) {
        seen.put(need, false);
        @Nullable String before = missing.put(need, sentence);
        if (before == null) {
            LOG.warnf("waiting for %s %s: %s", need.text(), where, sentence);
        }
    }

    /// Whether everything is there, as far as has been asked.
    synchronized boolean complete() {
        return missing.isEmpty() && seen.size() == Need.values().length;
    }

    /// What was found of a thing that is not there; empty when it is.
    synchronized Optional<String> fault(Need need) {
        return seen.containsKey(need)
                ? Optional.ofNullable(missing.get(need))
                : Optional.of("not asked yet");
    }
}

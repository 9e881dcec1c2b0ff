package dev.tributary.eval;

import java.util.EnumMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;

/// What this worker needs and whether it is there. Says so in the log once each time it changes,
/// however often it is asked.
final class Dependencies {

    private static final Logger LOG = Logger.getLogger(Dependencies.class);

    private final Map<Need, String> missing = new EnumMap<>(Need.class);
    private final Set<Need> asked = new HashSet<>();

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
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// It is there.
    synchronized void there(Need need, String where) {
        boolean first = asked.add(need);
        if (missing.remove(need) != null || first) {
            LOG.infof("%s is there %s", need.text(), where);
        }
    }

    /// It is not there.
    ///
    /// @param sentence what was found, what was expected, what to do
    synchronized void missing(Need need, String where, String sentence) {
        asked.add(need);
        if (missing.put(need, sentence) == null) {
            LOG.warnf("waiting for %s %s: %s", need.text(), where, sentence);
        }
    }

    /// Whether everything is there, as far as is known.
    synchronized boolean complete() {
        return missing.isEmpty() && asked.size() == Need.values().length;
    }

    /// What was found of a thing that is not there; empty when it is.
    synchronized Optional<String> fault(Need need) {
        return asked.contains(need)
                ? Optional.ofNullable(missing.get(need))
                : Optional.of("not asked yet");
    }
}

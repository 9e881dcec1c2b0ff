package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdmitterTest {
    private FolderArtifactStore store;
    private TinyModels models;
    private Admitter admitter;
    private PoolState pool;

    @BeforeEach
    void open(@TempDir Path folder) {
        store = FolderArtifactStore.open(folder);
        models = new TinyModels(store);
        admitter = new Admitter(store);
        pool = admitter.admit(null, configured(models.base(), "divmerge", Map.of()));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aSoundExpertIsLetIn() {
        PoolState after = admitter.admit(pool, published("mail", models.expert(1), base()));

        assertThat(after.checkpoints("mail")).hasSize(1);
    }

    @Test
    void anEventThatIsInAlreadyIsNotJudgedAgain() {
        PoolEvent.Published event = published("mail", models.expert(1), base());
        PoolState withdrawn =
                admitter.admit(pool, event)
                        .with(
                                new PoolEvent.Retired(
                                        "withdrawn", "pool", "mail", event.checkpoint().digest()));

        assertThat(admitter.admit(withdrawn, event)).isEqualTo(withdrawn);
    }

    @Test
    void everyFaultIsToldAtOnce() {
        ArtifactReference bad =
                models.expert(
                        2,
                        3,
                        values ->
                                Objects.requireNonNull(values.get("bert.pooler.dense.bias"))[5] =
                                        Float.NaN);

        List<Fault> faults = refusal(pool, published("mail", bad, Digest.ofText("another")));

        assertThat(faults)
                .extracting(Fault::code)
                .contains(
                        FailureCode.WRONG_BASE,
                        FailureCode.NON_FINITE,
                        FailureCode.LABELS_MISMATCH);
    }

    @Test
    void aBaseWithANanMakesNoPool() {
        ArtifactReference base =
                models.expert(
                        3,
                        2,
                        values ->
                                Objects.requireNonNull(values.get("bert.pooler.dense.bias"))[0] =
                                        Float.NEGATIVE_INFINITY);

        assertThat(refusal(null, configured(base, "divmerge", Map.of())))
                .extracting(Fault::code)
                .containsExactly(FailureCode.NON_FINITE);
    }

    @Test
    void aMethodAndItsOptionsAreCheckedWhenThePoolIsConfigured() {
        assertThat(refusal(pool, configured(models.base(), "magic", Map.of())))
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNKNOWN_METHOD);
        assertThat(
                        refusal(
                                pool,
                                configured(
                                        models.base(), "ties", Map.of("density", "7", "x", "1"))))
                .extracting(Fault::code)
                .containsExactly(FailureCode.BAD_OPTION, FailureCode.BAD_OPTION);
    }

    @Test
    void aPoolCannotBeMergedByLabelsItDoesNotHave() {
        for (Map.Entry<String, Map<String, String>> given :
                Map.of(
                                "tatr", Map.of("labels", "given"),
                                "ties", Map.of("trust_region", "given"))
                        .entrySet()) {
            assertThat(refusal(pool, configured(models.base(), given.getKey(), given.getValue())))
                    .extracting(Fault::toString)
                    .containsExactly(
                            "[method] %s learns from labels by these options, expected labels or trust_region predicted: a pool's inputs have none"
                                    .formatted(given.getKey()));
        }
    }

    @Test
    void aPoolWithExpertsKeepsItsBase() {
        PoolState withExpert = admitter.admit(pool, published("mail", models.expert(1), base()));

        assertThat(refusal(withExpert, configured(models.expert(4), "divmerge", Map.of())))
                .extracting(Fault::code)
                .containsExactly(FailureCode.WRONG_BASE);
    }

    @Test
    void aPoolNobodyConfiguredTakesNoExperts() {
        assertThat(refusal(null, published("mail", models.expert(1), base())))
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNKNOWN_POOL);
    }

    @Test
    void onlyAnExpertThatIsThereCanBeRetired() {
        PoolEvent.Retired retired = new PoolEvent.Retired("e", "pool", "nobody's", null);

        assertThat(refusal(pool, retired))
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNKNOWN_TASK);
    }

    private Digest base() {
        return models.base().digest();
    }

    private List<Fault> refusal(@Nullable PoolState state, PoolEvent event) {
        return catchThrowableOfType(RefusedException.class, () -> admitter.admit(state, event))
                .faults();
    }

    private PoolEvent.Published published(String task, ArtifactReference expert, Digest base) {
        return new PoolEvent.Published(
                UUID.randomUUID().toString(), "pool", task, expert, base, models.task(task));
    }

    private static PoolEvent.Configured configured(
            ArtifactReference base, String method, Map<String, String> options) {
        return new PoolEvent.Configured(
                UUID.randomUUID().toString(), "pool", base, method, options, Samples.LIMITS, 0);
    }
}

package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArtifactPathTest {
    private static final Digest DIGEST = Digest.ofText("any");

    @TempDir Path folder;
    private FolderArtifactStore store;

    @BeforeEach
    void openStore() {
        store = FolderArtifactStore.open(folder.resolve("store"));
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "checkpoints/0123456789abcdef",
                "tasks/a",
                "generations/pool/0123456789abcdef",
                "generations/pool-1_x.y/00/z",
                "checkpoints/a..b"
            })
    void plainNamesBelowACollectionAreAccepted(String path) {
        assertThat(ArtifactPath.parse(path).value()).isEqualTo(path);
    }

    static Stream<String> hostilePaths() {
        return Stream.of(plain(), encoded(), otherSystems(), mlflow(), schemes(), malformed())
                .flatMap(List::stream);
    }

    private static List<String> plain() {
        return List.of(
                "..",
                ".",
                "/",
                "/etc/passwd",
                "//etc/passwd",
                "../checkpoints/a",
                "checkpoints/..",
                "checkpoints/.",
                "checkpoints/../../etc/passwd",
                "checkpoints/a/../../..",
                "checkpoints/a/./b",
                "checkpoints//a",
                "/checkpoints/a",
                "checkpoints/a/",
                "checkpoints/",
                "checkpoints",
                "checkpoints/.hidden",
                "checkpoints/...",
                "checkpoints/-rf",
                "checkpoints/a.",
                "checkpoints/~root",
                "~/checkpoints/a",
                "cache/a",
                "staging/a",
                "checkpoints/a/b/c/d",
                "Checkpoints/a");
    }

    private static List<String> encoded() {
        return List.of(
                "checkpoints/%2e%2e",
                "checkpoints/%2e%2e%2fetc",
                "checkpoints%2fa",
                "checkpoints/..%2f..%2fetc",
                "checkpoints/%252e%252e",
                "checkpoints/..%c0%af",
                "checkpoints/%00",
                "checkpoints/a%0a",
                "checkpoints/%2E%2E/a",
                "checkpoints/.%2e/a",
                "checkpoints/%2e./a",
                "checkpoints/a%2f..%2f..",
                "checkpoints/a%5c..%5c..",
                "checkpoints/%c0%ae%c0%ae/a",
                "checkpoints/%e0%80%ae/a",
                "checkpoints/%uff0e%uff0e/a",
                "checkpoints/%25%32%65/a",
                "checkpoints/&#46;&#46;/a",
                "checkpoints/\\u002e\\u002e/a",
                "checkpoints/=2e=2e/a",
                "checkpoints/a+b",
                "checkpoints/\uff0e\uff0e/a",
                "checkpoints/\u2024\u2024/a",
                "checkpoints/\ufe52\ufe52/a",
                "checkpoints\uff0fa",
                "checkpoints\u2044a",
                "checkpoints/a\u200b",
                "checkpoints/\ufeffa",
                "checkpoints/a\u00ad",
                "checkpoints/a\u0301",
                "\u0441heckpoints/a",
                "checkpoints/\ud800",
                "checkpoints/\u2025/a",
                "checkpoints/a\u2215b",
                "checkpoints/\u202ea");
    }

    private static List<String> otherSystems() {
        return List.of(
                "checkpoints\\..\\a",
                "checkpoints/..\\..\\a",
                "C:\\checkpoints\\a",
                "checkpoints/C:a",
                "\\\\host\\checkpoints\\a",
                "checkpoints/a:stream",
                "\\\\?\\C:\\checkpoints\\a",
                "\\\\.\\pipe\\a",
                "c:/checkpoints/a",
                "checkpoints/a::$DATA",
                "checkpoints/a b",
                "checkpoints/$(id)",
                "checkpoints/${HOME}",
                "checkpoints/a|b",
                "checkpoints/a&b",
                "checkpoints/a>b",
                "checkpoints/a'b",
                "checkpoints/a\"b",
                "checkpoints/{a,b}",
                "checkpoints/[a]",
                "checkpoints/a!",
                "checkpoints/$HOME",
                "checkpoints/`id`",
                "checkpoints/a;b",
                "checkpoints/*");
    }

    /// The shapes of CVE-2023-6909, CVE-2023-6977, CVE-2024-1483, CVE-2024-3848 and of the issue
    /// they began with.
    private static List<String> mlflow() {
        return List.of(
                "checkpoints/a?/../../../etc",
                "checkpoints/a#/../../../etc",
                "checkpoints/a#/..//..//..//etc",
                "#/../../../../../etc",
                "checkpoints/?a",
                "//proc/self/root",
                "file:///proc/self/root",
                "file:checkpoints/a",
                "http://checkpoints/a",
                "store:checkpoints/a",
                "checkpoints/a?b=..",
                "mlflow-artifacts:/../../etc");
    }

    private static List<String> schemes() {
        return List.of(
                "file://localhost/etc/passwd",
                "file:/etc/passwd",
                "FILE:///etc/passwd",
                "file://%2e%2e/checkpoints/a",
                "jar:file:/a.jar!/checkpoints/a",
                "data:application/octet-stream;base64,AAAA",
                "javascript:alert(1)",
                "ldap://127.0.0.1/a",
                "gopher://127.0.0.1:9092/_a",
                "dict://127.0.0.1:11211/stat",
                "ftp://user:secret@127.0.0.1/a",
                "https://169.254.169.254/latest/meta-data",
                "http://[::ffff:127.0.0.1]/a",
                "http://0x7f000001/a",
                "http://2130706433/a",
                "s3://bucket/../a",
                "gs://bucket/a",
                "hdfs://namenode/a",
                "dbfs:/../a",
                "models:/m/1/../../a",
                "runs:/../../etc",
                "mlflow-artifacts://host/..%2f..%2fa",
                "hf://org/../model",
                "store://checkpoints/../a",
                "store:store:checkpoints/a",
                "smb://host/share/a",
                "\\\\127.0.0.1\\c$\\a",
                "/proc/self/environ",
                "/dev/stdin",
                "checkpoints/a;/../../etc");
    }

    private static List<String> malformed() {
        return List.of(
                "",
                " ",
                " checkpoints/a",
                "checkpoints/a ",
                "checkpoints/a\0",
                "checkpoints/\0/a",
                "checkpoints/a\n",
                "checkpoints/a\r\nb",
                "checkpoints/\u001b[31m",
                "checkpoints/" + "a".repeat(129),
                "checkpoints/" + "a/".repeat(5000) + "a");
    }

    @ParameterizedTest
    @MethodSource("hostilePaths")
    void noOtherPathIsAcceptedAnywhere(String path) {
        Staging staging = store.stage();

        for (RefusedException refusal :
                List.of(
                        refusal(() -> ArtifactPath.parse(path)),
                        refusal(() -> new ArtifactReference("store:" + path, DIGEST, 0)),
                        refusal(() -> store.exists(path)),
                        refusal(() -> store.referenceTo(path)),
                        refusal(() -> store.publish(staging, path)))) {
            assertThat(refusal.faults()).hasSize(1);
            Fault fault = refusal.faults().getFirst();
            assertThat(fault.code()).isEqualTo(FailureCode.UNSAFE_PATH);
            assertThat(fault.where()).doesNotContainPattern("\\p{Cntrl}").hasSizeLessThan(100);
        }
        assertThat(staging.directory()).exists();
    }

    @Test
    void thereAreManyHostilePaths() {
        assertThat(hostilePaths().distinct().count()).isGreaterThanOrEqualTo(120);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "checkpoints/a",
                "STORE:checkpoints/a",
                "store",
                "store://checkpoints/a",
                "store:/checkpoints/a",
                "file:///etc/passwd",
                "http://127.0.0.1/checkpoints/a",
                "s3://bucket/a",
                "hf://org/model"
            })
    void noOtherSchemeIsAccepted(String uri) {
        assertThat(refusal(() -> new ArtifactReference(uri, DIGEST, 0)).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNSAFE_PATH);
    }

    private static RefusedException refusal(ThrowingCallable call) {
        RefusedException refusal = catchThrowableOfType(RefusedException.class, call);
        assertThat(refusal).as("is refused").isNotNull();
        return refusal;
    }
}

package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Parameters in mergekit's language.
class SettingTest {

    @ParameterizedTest
    @CsvSource({"0, 0", "0.25, 0.5", "0.5, 1", "0.75, 0.6", "1, 0.2"})
    void aListIsInterpolatedOverTheDepth(double depth, double wanted) {
        assertThat(Setting.parse("[0, 1, 0.2]").at("w", depth).getAsDouble()).isEqualTo(wanted);
    }

    @Test
    void theFirstFilterInTheNameHolds() {
        Setting setting =
                Setting.parse(
                        """
                        [{"filter": "self_attn", "value": [0, 1]},
                         {"filter": "mlp", "value": 0.3},
                         {"value": 0.5}]
                        """);
        assertThat(setting.at("model.layers.3.self_attn.q_proj.weight", 0.5)).hasValue(0.5);
        assertThat(setting.at("model.layers.3.mlp.up_proj.weight", 0.5)).hasValue(0.3);
        assertThat(setting.at("lm_head.weight", 0)).hasValue(0.5);
        assertThat(setting.total()).isTrue();
    }

    @Test
    void whatNoFilterNamesIsLeftToAnotherSetting() {
        Setting own = Setting.parse("[{\"filter\": \"mlp\", \"value\": 0.3}]");
        assertThat(own.at("norm", 0)).isEmpty();
        assertThat(own.total()).isFalse();
        assertThat(own.orElse(Setting.of(0.9)).at("norm", 0)).hasValue(0.9);
        assertThat(own.orElse(Setting.of(0.9)).at("mlp", 0)).hasValue(0.3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.3",
                "[0.0,0.5,1.0]",
                "[{\"filter\":\"mlp\",\"value\":0.5},{\"value\":[0.0,1.0]}]"
            })
    void aSettingReadsBackAsItWasWritten(String text) {
        assertThat(Setting.parse(text).text()).isEqualTo(text);
        assertThat(Setting.parse(Setting.parse(text).text())).isEqualTo(Setting.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "much",
                "[]",
                "[0, \"x\"]",
                "[{\"filter\": \"a\"}]",
                "[1",
                "[{\"value\":1,\"x\":2}]"
            })
    void whatIsNoSettingIsRefused(String text) {
        assertThatThrownBy(() -> Setting.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}

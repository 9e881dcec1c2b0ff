package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DtypeTest {
    @Test
    void anUnknownNameIsNoDtype() {
        assertThat(Dtype.of("F8_E4M3")).isEmpty();
        assertThat(Dtype.of("BF16")).contains(Dtype.BF16);
    }
}

/// A checkpoint that runs: architectures on DJL, tokenizers, tasks, metrics, fine-tuning. DJL stays
/// inside this package: no public signature names one of its types.
@NullMarked
package dev.tributary.models;

import org.jspecify.annotations.NullMarked;

/// A checkpoint on disk: dtype, safetensors, shards, digests, artifact store, arithmetic kernels.
@NullMarked
package dev.tributary.tensors;

import org.jspecify.annotations.NullMarked;

/// The contract between the programs: the catalogue of topics, the registry wire format and the
/// headers around it. The events themselves are generated from `src/main/avro`.
@NullMarked
package dev.tributary.schemas;

import org.jspecify.annotations.NullMarked;

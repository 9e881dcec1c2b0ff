/// Harms a local Tributary on purpose and looks whether anything gets lost.
@NullMarked
package dev.tributary.cli.chaos;

import org.jspecify.annotations.NullMarked;

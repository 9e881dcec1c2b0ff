/// The commands a person types, the local stack they start, and the demo.
@NullMarked
package dev.tributary.cli;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.tributary.cli.chaos;

import org.jspecify.annotations.NullMarked;
